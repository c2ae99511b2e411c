from pipelines.casework.cases.states import AT_REST, STATES_ZH, STEPS, CaseState, possible


def test_every_state_has_a_chinese_name():
    assert set(STATES_ZH) == set(CaseState)


def test_a_verb_means_one_step_in_a_state():
    assert len({(step.before, step.verb) for step in STEPS}) == len(STEPS)


def test_every_state_can_be_reached_from_new_and_can_come_to_rest():
    reached, ends = {CaseState.NEW}, set(AT_REST)
    for _ in CaseState:
        reached |= {step.after for step in STEPS if step.before in reached}
        ends |= {step.before for step in STEPS if step.after in ends}
    assert reached == ends == set(CaseState)


def test_nothing_is_stuck():
    assert all(possible(state) for state in CaseState)
