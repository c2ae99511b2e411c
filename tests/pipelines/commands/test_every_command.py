"""What holds for every command: it explains itself, shares its options, and speaks both languages."""

import importlib
import pkgutil
import re
from string import Formatter

import pytest
import typer
from typer.testing import CliRunner

from pipelines import cli, commands
from pipelines.commands.options import Panel
from pipelines.commands.texts import Both

CHINESE = re.compile(r"[\u3400-\u9fff]")
#: English texts may quote Chinese only as a title, in brackets, or as the name of a document.
QUOTED = re.compile(r"《.*?》|\(.*?\)|[\u3400-\u9fff]+\.docx")
#: Commands that print no words, only what a program or a file needs: hashes, a checkpoint, paths.
WORDLESS = {"receive", "audit checkpoint", "watchlist export"}

#: Options that mean something else under a common name: how a county is written, whose entries are listed.
OTHERS = {("simulate", "--format"), ("audit list", "--actor")}

MODULES = [
    importlib.import_module(f"{commands.__name__}.{name}")
    for _, name, _ in pkgutil.iter_modules(commands.__path__)
]
ROOT = typer.main.get_command(cli.app)


def leaves(group, words=()):
    """Every command by its words, such as ``review take``."""
    for name in group.list_commands(None):
        command = group.get_command(None, name)
        if hasattr(command, "list_commands"):
            yield from leaves(command, (*words, name))
        else:
            yield " ".join((*words, name)), command


COMMANDS = dict(leaves(ROOT))


TEXTS = {
    f"{module.__name__.rpartition('.')[2]}.{name}": value
    for module in MODULES
    for name, value in vars(module).items()
    if isinstance(value, Both)
}


def placeholders(text):
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_a_text_says_the_same_in_both_languages(text):
    assert type(text.zh) is type(text.en)
    if isinstance(text.zh, tuple):  # headings
        assert len(text.zh) == len(text.en)
        assert all(isinstance(each, str) for each in (*text.zh, *text.en))
        return
    assert bool(text.zh) == bool(text.en)
    # A value in one language (…_zh, …_en) stands only in the text of that language.
    assert {
        each for each in placeholders(text.zh) ^ placeholders(text.en) if not each.endswith(("_zh", "_en"))
    } == set()


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_english_is_english_and_chinese_is_chinese(text):
    for english in text.en if isinstance(text.en, tuple) else (text.en,):
        assert not CHINESE.search(QUOTED.sub("", english))
    for chinese in text.zh if isinstance(text.zh, tuple) else (text.zh,):
        words = re.sub(r"\{.*?\}|--[a-z-]+|bidwatch( [a-z-]+)*", "", chinese)
        assert CHINESE.search(words) or not re.search(r"[a-z]{3}", words.replace("ocid", "")), chinese


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_speaks_the_language_that_is_asked_for(name):
    options = {option for param in COMMANDS[name].params for option in param.opts}
    assert ("--lang" in options) != (name in WORDLESS)


@pytest.mark.parametrize(
    "option", ["--home", "--as-of", "--format", "--lang", "--actor", "--reason", "--key"]
)
def test_an_option_means_the_same_everywhere(option):
    helps = {
        param.help
        for name, command in COMMANDS.items()
        for param in command.params
        if option in param.opts and (name, option) not in OTHERS
    }
    assert len(helps) == 1


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_explains_itself(name):
    said = CliRunner().invoke(cli.app, [*name.split(), "--help"])
    assert said.exit_code == 0
    assert COMMANDS[name].help
    assert "completion" not in said.output


def test_every_command_stands_in_a_panel_of_the_help():
    said = CliRunner().invoke(cli.app, ["--help"]).output
    shown = [panel for panel in Panel if str(panel) in said]
    assert shown == list(Panel)
    places = [said.index(f"│ {name} ") for name in ROOT.list_commands(None)]
    assert places == sorted(places)


def test_a_helper_module_is_no_command():
    for name in ("options", "texts", "nothing"):
        said = CliRunner().invoke(cli.app, [name])
        assert said.exit_code == 2
        assert f"No such command '{name}'" in said.output


def test_the_language_can_be_chosen_once(monkeypatch):
    monkeypatch.setenv("BIDWATCH_LANG", "en")
    assert "Periods of the law" in CliRunner().invoke(cli.app, ["deadlines", "rules"]).output
    monkeypatch.delenv("BIDWATCH_LANG")
    assert "法定时限" in CliRunner().invoke(cli.app, ["deadlines", "rules"]).output
