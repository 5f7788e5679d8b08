"""What is told where settings differ."""

from stylizer.jobs.facts import changes


def test_what_has_another_name_is_told_by_that_alone() -> None:
    one = {"styles": [{"name": "tahiti", "weight": 1.0, "sha256": "a" * 64, "tuning": "b" * 64}]}
    other = {"styles": [{"name": "irises", "weight": 1.0, "sha256": "c" * 64, "tuning": "d" * 64}]}
    assert changes(one, other) == ["styles.1.name was tahiti and is irises"]
    same_name = {"styles": [{**one["styles"][0], "sha256": "c" * 64}]}
    (told,) = changes(one, same_name)
    assert told.startswith("styles.1.sha256 was aaaa")
