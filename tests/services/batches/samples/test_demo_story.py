"""The life of each demo ticket as a list of steps in time."""

from collections import Counter
from datetime import UTC, datetime

from admin_app.services.batches.samples import demo_people, demo_story

NOW = datetime(2030, 1, 15, 12, 0, tzinfo=UTC)
STEPS = list(demo_story.whole_story(NOW))


class TestWholeStory:
    def test_it_is_the_same_every_time(self) -> None:
        assert list(demo_story.whole_story(NOW)) == STEPS

    def test_it_runs_forward_and_ends_before_now(self) -> None:
        times = [step.at for step in STEPS]
        assert times == sorted(times)
        assert times[-1] < NOW

    def test_every_ticket_is_opened_before_anything_else_happens_to_it(self) -> None:
        first = {}
        for step in STEPS:
            first.setdefault(step.ticket, step.what)
        assert first == dict.fromkeys(range(demo_story.TICKETS), "open")

    def test_whatever_people_do_happens_somewhere(self) -> None:
        verbs = Counter(step.what for step in STEPS)
        assert verbs["open"] == demo_story.TICKETS
        assert verbs.keys() == {
            *("open", "transfer", "tag", "watch", "attach", "move", "comment", "resolve", "close", "reopen", "delete")
        }
        assert min(verbs.values()) >= 2

    def test_everybody_in_it_works_at_the_desk(self) -> None:
        assert {step.who for step in STEPS} <= {person.first_name for person in demo_people.DESK}
