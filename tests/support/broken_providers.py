"""A sound provider, and one for each rule that it can break."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace

from qdepot.adapters.providers.scripted_words import STATUS_OF_WORD
from qdepot.errors import NotFoundError, UnavailableError
from qdepot.ports.provider import Part, ProviderReport, ProviderStatus, RawResult
from qdepot.testing.scripted import BulkScriptedProvider, ScriptedProvider

SECRET = "hush-hush"


class Sound(BulkScriptedProvider):
    """Can do all that can be declared, and keeps every rule."""

    @property
    def backend(self):
        return replace(super(BulkScriptedProvider, self).backend, max_circuits=3)

    def forget(self, provider_job_id):
        self.jobs.pop(provider_job_id, None)

    def part(self, provider_job_id, *, after):
        self._known(provider_job_id)

    def rest(self, provider_job_id, *, after):
        raw = self.result(provider_job_id)
        entries = json.loads(raw.document)["results"][after:]
        results = (replace(raw, document=json.dumps({"results": entries}).encode()),) if entries else ()
        return Part(first=after, count=len(entries), results=results)


class NamesTwice(Sound):
    def backends(self):
        return [*super().backends(), *super().backends()]


class OffersForAnother(Sound):
    def backends(self):
        return [replace(backend, provider="another") for backend in super().backends()]


class RepeatsAtACost(Sound):
    def backends(self):
        return [replace(backend, repeatable=True) for backend in super().backends()]


class SaysThatItRunsHere(Sound):
    def backends(self):
        return [replace(backend, runs_here=True) for backend in super().backends()]


class SendsUnchecked(Sound):
    def submit(self, submission):
        return self.take(submission).id


class IgnoresTags(Sound):
    def take(self, submission):
        return self._new(submission)


class GivesOneIdToAll(Sound):
    def submit(self, submission):
        super().submit(submission)
        return next(iter(self.jobs))


class FindsNothing(Sound):
    def find_by_tag(self, tag):
        raise NotFoundError("nothing here")


class GoesBack(Sound):
    def status(self, provider_job_id):
        self.script.words = ("Running", "Queued", "Completed")
        return super().status(provider_job_id)


class HidesTheWord(Sound):
    def status(self, provider_job_id):
        return replace(super().status(provider_job_id), vendor_status="")


class LosesShots(Sound):
    def result(self, provider_job_id):
        return _changed(super().result(provider_job_id), lambda bits, count: (bits, count - 1))


class TurnsBitsAround(Sound):
    def result(self, provider_job_id):
        return _changed(super().result(provider_job_id), lambda bits, count: (bits[::-1], count))


class ForgetsHalf(Sound):
    def result(self, provider_job_id):
        return _changed(super().result(provider_job_id), lambda bits, count: (bits.replace("1", "0"), count))


class AnswersTooSoon(Sound):
    def result(self, provider_job_id):
        self._known(provider_job_id).ended = "Completed"
        return super().result(provider_job_id)


class NeverTellsTheSame(Sound):
    def result(self, provider_job_id):
        raw = super().result(provider_job_id)
        return replace(raw, members={**raw.members, "raw/calls": str(self.calls["result"]).encode()})


class KnowsNotWhatIsNot(Sound):
    def status(self, provider_job_id):
        try:
            return super().status(provider_job_id)
        except NotFoundError as error:
            raise UnavailableError("try again") from error


class NeverCancels(Sound):
    def cancel(self, provider_job_id):
        self._known(provider_job_id)


class CancelsWhatHasEnded(Sound):
    def cancel(self, provider_job_id):
        job = self._known(provider_job_id)
        job.word = job.ended = "Cancelled"


class RemembersAlone(Sound):
    """Keeps its jobs in the object that they were submitted through; see :func:`second`."""


class KnowsEveryId(Sound):
    def statuses(self, provider_job_ids):
        unknown = ProviderReport(status=ProviderStatus.QUEUED, vendor_status="?")
        return {**dict.fromkeys(provider_job_ids, unknown), **super().statuses(provider_job_ids)}


class ForgetsOnce(Sound):
    def forget(self, provider_job_id):
        del self.jobs[provider_job_id]


class GivesAllAgain(Sound):
    def rest(self, provider_job_id, *, after):
        return replace(super().rest(provider_job_id, after=0), first=after)


class MixesJobsUp(Sound):
    def result(self, provider_job_id):
        return super().result(next(iter(self.jobs)))


class TakesWithoutAnswering(Sound):
    def take(self, submission):
        self._new(submission)
        return super(BulkScriptedProvider, self).take(submission)


class InventsAnswers(Sound):
    def status(self, provider_job_id):
        try:
            return super().status(provider_job_id)
        except UnavailableError:
            return ProviderReport(status=ProviderStatus.QUEUED, vendor_status="Queued")


class OwnsUpToNothing(Sound):
    def submit(self, submission):
        try:
            return super().submit(submission)
        except UnavailableError as error:
            error.details.clear()
            raise


class Guesses(Sound):
    def status(self, provider_job_id):
        word = self.look([provider_job_id])[provider_job_id]
        return ProviderReport(status=STATUS_OF_WORD.get(word, ProviderStatus.RUNNING), vendor_status=word)


class Talks(Sound):
    def __repr__(self):
        return f"Talks(token={SECRET!r})"


class ClosesOnce(Sound):
    def close(self):
        if self.calls["close"]:
            raise RuntimeError("it is closed already")
        self.calls["close"] += 1


BROKEN: dict[str, type[Sound]] = {
    "test_backends_are_named_uniquely": NamesTwice,
    "test_backends_belong_to_their_provider": OffersForAnother,
    "test_what_costs_money_is_never_declared_repeatable": RepeatsAtACost,
    "test_verbs_and_declared_abilities_agree": SaysThatItRunsHere,
    "test_too_many_shots_are_refused_before_anything_is_sent": SendsUnchecked,
    "test_too_many_circuits_are_refused_before_anything_is_sent": SendsUnchecked,
    "test_a_format_that_the_backend_does_not_take_is_refused": SendsUnchecked,
    "test_an_option_that_the_backend_does_not_know_is_refused": SendsUnchecked,
    "test_a_backend_that_there_is_not_is_refused": SendsUnchecked,
    "test_same_tag_is_submitted_once": IgnoresTags,
    "test_another_tag_is_another_job": GivesOneIdToAll,
    "test_a_job_is_found_by_its_tag": FindsNothing,
    "test_status_never_goes_back": GoesBack,
    "test_the_vendors_own_word_is_kept": HidesTheWord,
    "test_counts_sum_to_shots_and_keys_have_the_right_width": LosesShots,
    "test_bit_0_is_rightmost": TurnsBitsAround,
    "test_a_program_with_one_outcome_has_that_outcome": ForgetsHalf,
    "test_a_result_before_the_end_is_refused": AnswersTooSoon,
    "test_a_result_that_is_fetched_twice_is_equal": NeverTellsTheSame,
    "test_an_unknown_id_is_not_found": KnowsNotWhatIsNot,
    "test_a_job_that_is_cancelled_before_its_end_has_no_result": NeverCancels,
    "test_a_job_that_has_ended_is_not_changed_by_a_cancel": CancelsWhatHasEnded,
    "test_a_second_provider_finds_the_job": RemembersAlone,
    "test_many_are_asked_about_in_one_call": KnowsEveryId,
    "test_a_job_that_is_forgotten_may_be_forgotten_again": ForgetsOnce,
    "test_results_are_given_behind_those_that_are_stored": GivesAllAgain,
    "test_eight_threads_at_once_get_each_their_own": MixesJobsUp,
    "test_no_answer_is_unavailable_and_makes_no_job": TakesWithoutAnswering,
    "test_every_verb_says_that_there_was_no_answer": InventsAnswers,
    "test_an_answer_that_was_lost_is_owned_up_to": OwnsUpToNothing,
    "test_a_word_that_nobody_knows_is_an_error": Guesses,
    "test_no_secret_is_shown": Talks,
    "test_a_provider_may_be_closed_twice": ClosesOnce,
}
"""The provider that each test of the suite must catch."""


def second(provider: Sound) -> Sound:
    """What another process has."""
    return replace(provider, jobs={}, _by_tag={}) if isinstance(provider, RemembersAlone) else replace(provider)


@dataclass
class InHand:
    """The cloud of a provider in this process."""

    cloud: ScriptedProvider

    def hold(self):
        self.cloud.script.words = ("Queued",)

    def let_run(self):
        self.cloud.script.words = ("Running",)

    def let_end(self):
        self.cloud.script.words = ("Completed",)

    def submissions(self, tag):
        return self.cloud.submissions.count(tag)

    def go_away(self):
        self.cloud.script.away = True

    def lose_answers(self):
        self.cloud.script.lose_answer = True

    def come_back(self):
        self.cloud.script = replace(self.cloud.script, away=False, lose_answer=False)

    def say(self, word):
        self.cloud.script.words = (word,)


def _changed(raw: RawResult, change: Callable[[str, int], tuple[str, int]]) -> RawResult:
    document = json.loads(raw.document)
    for entry in document["results"]:
        entry["counts"] = dict(change(*item) for item in entry["counts"].items())
        for register in entry["registers"].values():
            register["counts"] = dict(entry["counts"])
    return replace(raw, document=json.dumps(document).encode())
