"""The rule that derives seeds: what it promises to users, and that no two places of their jobs meet."""

from itertools import product

import pytest

from qdepot.domain.seeds import Stream, random_seed, seed_of_chunk, seed_of_circuit, seed_of_job, stream_seed
from support.seed_rule import by_the_rule


def test_seeds_are_made_as_the_documentation_says():
    assert seed_of_job("0193-abc") == by_the_rule("job", "0193-abc", bits=53)
    assert seed_of_circuit(7, 3) == by_the_rule("circuit", 7, 3, bits=53)
    assert seed_of_chunk(7, 3) == by_the_rule("chunk", 7, 3, bits=53)
    for stream in ("aer", "draw", "estimate"):
        found = stream_seed(7, Stream(stream), parameter_set=3, place=5)
        assert found == by_the_rule(stream, 7, 3, 5)


def test_the_rule_never_changes():
    assert seed_of_job("job") == 3097419074559785
    assert seed_of_circuit(0, 1) == 509399111813952
    assert stream_seed(0, Stream.AER, parameter_set=0) == 5424395624659220040


@pytest.mark.parametrize("derived", [seed_of_circuit, seed_of_chunk])
@pytest.mark.parametrize("seed", [0, 7, 2**63 - 1])
def test_the_first_has_the_seed_that_was_given(derived, seed):
    assert derived(seed, 0) == seed


def test_seeds_that_users_see_survive_a_client_that_reads_numbers_as_doubles():
    seeds = [seed_of_job(str(number)) for number in range(200)]
    seeds += [seed_of_circuit(number, 1) for number in range(200)] + [seed_of_chunk(number, 1) for number in range(200)]
    seeds += [random_seed() for _ in range(200)]
    assert all(0 <= seed < 2**53 and int(float(seed)) == seed for seed in seeds)
    assert max(seeds) >= 2**52, "a bit is lost"  # odds of 2^-800


def test_no_two_places_of_neighbouring_jobs_have_a_seed_in_common():
    found = [
        stream_seed(seed_of_circuit(seed_of_chunk(seed, chunk), circuit), stream, parameter_set=number, place=place)
        for seed, chunk, circuit, stream, number, place in product(
            range(8), range(3), range(8), Stream, range(12), range(4)
        )
    ]
    assert len(set(found)) == len(found)  # odds of about 10^-11
    assert all(0 <= seed < 2**63 for seed in found)
    least = min(b - a for a, b in zip(sorted(found)[:-1], sorted(found)[1:], strict=True))
    assert least > 2_000, "as many shots would meet in Aer"  # odds of about 10^-7
