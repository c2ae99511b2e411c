"""``bidwatch doctor``: is the installation whole?"""

from __future__ import annotations

from collections.abc import Iterator

import typer

from pipelines import audit, files, settings
from pipelines.commands.exits import INTEGRITY_FAILURE
from pipelines.commands.options import HomeOption, LangOption, Panel
from pipelines.commands.output import err, out
from pipelines.commands.texts import Both, Lang
from pipelines.installation import secret_key
from pipelines.settings import Damaged
from pipelines.store import opened

FAULT = Both("异常：{fault}", "fault: {fault}")
WHOLE = Both("{root}：未发现异常", "{root}: no fault found")
NO_ISOLATION = Both(
    "提示：本系统不支持网络命名空间，读取进程未与网络隔离",
    "note: this system does not allow network namespaces; readers run without network isolation",
)
WRONG_LIBRARY = Both(
    "已安装 sqlalchemy {version}，与其配合时 prefect 的定时任务不会启动",
    "sqlalchemy {version} is installed; prefect's schedules never fire with it",
)
NO_HOME = Both("{root} 中没有安装", "no installation in {root}")
RAW_MISSING = Both("{name} 的原始文件缺失：{raw_sha}", "raw file of {name} is missing: {raw_sha}")
RAW_CHANGED = Both("{name} 的原始文件被改动：{raw_sha}", "raw file of {name} was changed: {raw_sha}")
NO_SNAPSHOT = Both(
    "当前数据快照 {snapshot} 缺失；运行 bidwatch nightly 重建",
    "the current snapshot {snapshot} is missing; run `bidwatch nightly` to rebuild it",
)
REFERENCE_WRONG = Both("参考数据：{fault}", "reference data: {fault}")
OVERLAY = Both(
    "reference/{name}：新增 {added} 项，替换 {replaced} 项",
    "reference/{name}: {added} added, {replaced} replaced",
)
SEALED_OTHERWISE = Both(
    "{key} 中的密钥打不开 {vault} 中封存的内容；请恢复两者配套的备份",
    "the key in {key} does not open what is sealed in {vault}; restore the two that belong together",
)
LOG_CHANGED = Both("操作日志与原样不一致：{fault}", "the audit log is not as it was: {fault}")

app = typer.Typer()


@app.command(rich_help_panel=Panel.NIGHT)
def doctor(home: HomeOption = None, lang: LangOption = Lang.EN) -> None:
    """Check that the installation is whole: keys, hashes of raw files, snapshot, audit log."""
    from pipelines.intake.sandbox_server import can_leave_the_network

    where = settings.home(home)
    faults = list(_faults(where, lang))
    if not can_leave_the_network():
        err.print(NO_ISOLATION.in_(lang))
    for fault in faults:
        err.print(FAULT.in_(lang).format(fault=fault))
    if faults:
        raise typer.Exit(INTEGRITY_FAILURE)
    for each in where.reference.overlays():
        out.print(OVERLAY.in_(lang).format(name=each.name, added=each.added, replaced=each.replaced))
    out.print(WHOLE.in_(lang).format(root=where.root))


def _faults(home: settings.Home, lang: Lang) -> Iterator[str]:
    import sqlalchemy

    from detectors import registry
    from pipelines import vault
    from pipelines.casework import offices
    from pipelines.findings import routing

    if not sqlalchemy.__version__.startswith("2.0."):
        yield WRONG_LIBRARY.in_(lang).format(version=sqlalchemy.__version__)
    if not home.control.exists():
        yield NO_HOME.in_(lang).format(root=home.root)
        return
    try:
        home.reference.overlays()
        routing.load_division(home.reference)
        offices.powers(home.reference)
        registry.load(local=home.reference.local)
    except ValueError as error:
        yield REFERENCE_WRONG.in_(lang).format(fault=error)
    with opened(home.control) as store:
        try:
            if not vault.opens(home.vault, secret_key(home, store)):
                yield SEALED_OTHERWISE.in_(lang).format(vault=home.vault, key=home.key)
        except (Damaged, OSError, ValueError) as error:
            yield str(error)
        for row in store.rows("SELECT raw_sha, name FROM file"):
            path = home.raw / row["raw_sha"]
            if not path.is_file():
                yield RAW_MISSING.in_(lang).format(name=row["name"], raw_sha=row["raw_sha"])
            elif files.sha256(path) != row["raw_sha"]:
                yield RAW_CHANGED.in_(lang).format(name=row["name"], raw_sha=row["raw_sha"])
        current = store.current_snapshot()
        if current and not home.snapshot(current).is_file():
            yield NO_SNAPSHOT.in_(lang).format(snapshot=current)
        yield from (LOG_CHANGED.in_(lang).format(fault=fault) for fault in audit.faults(store.con, {}))
