"""BLEU-4 and CIDEr-D against values worked out by hand."""

from math import exp, log, sqrt

import pytest

from forensics.evaluation.asking import Said
from forensics.evaluation.captions import captions_of, cider_d, score_captions, words_of


def test_words_are_small_letters_without_punctuation() -> None:
    assert words_of('A Red-striped  "Star", top left!') == [
        "a",
        "red-striped",
        "star",
        "top",
        "left",
    ]
    assert words_of("The dog's bowl…") == ["the", "dog", "'s", "bowl"] and words_of(" ?! ") == []


def test_cider_d_by_hand() -> None:
    # Two pictures: "a" is in both reference sets and weighs nothing, all else weighs ln 2.
    references = [[words_of("a b c d")], [words_of("a x y z")]]
    same, short = cider_d([words_of("a b c d"), words_of("a x")], references)
    assert same == pytest.approx(10.0)
    # x of {x, y, z}, "a x" of three pairs, no longer n-gram; two words too short.
    assert short == pytest.approx(10 * exp(-4 / 72) * (1 / sqrt(3) + 1 / sqrt(3)) / 4)
    _, clipped = cider_d([words_of("a"), words_of("x x x x")], references)
    assert clipped == pytest.approx(10 * (1 / (4 * sqrt(3))) / 4)


def test_cider_d_is_the_mean_over_references_and_weighs_rare_words() -> None:
    references = [[words_of("b"), words_of("q")], [words_of("b")], [words_of("c")]]
    first, second, third = cider_d([["b"], ["b", "q"], []], references)
    assert first == pytest.approx(10 * (1 / 4 + 0) / 2)
    # b stands in two of three sets, q in one; the caption has a word too many.
    b, q = log(3 / 2), log(3)
    assert second == pytest.approx(10 * exp(-1 / 72) * b / sqrt(b * b + q * q) / 4)
    assert third == 0.0


def test_bleu_is_of_the_corpus_with_a_penalty_for_short_captions() -> None:
    found = score_captions(["a b c d e", "a b c d"], [["a b c d f"], ["a b c d e f"]])
    precisions = 8 / 9 * 6 / 7 * 4 / 5 * 2 / 3
    assert found.bleu4 == pytest.approx(100 * exp(1 - 11 / 9) * precisions**0.25)
    clipped = score_captions(["a b c d", "the the the the"], [["A b, c d!"], ["the cat sat down"]])
    assert clipped.bleu4 == pytest.approx(100 * (5 / 8 * 3 / 6 * 2 / 4 * 1 / 2) ** 0.25)
    assert score_captions(["a b", "c"], [["a c"], ["c"]]).bleu4 == 0.0


def test_captions_word_for_word_score_the_most_and_their_interval_has_no_width() -> None:
    texts = [f"one{i} two{i} three{i} four{i} five{i}" for i in range(6)]
    found = score_captions(texts, [[text] for text in texts])
    assert found.n == 6 and found.cider == pytest.approx(1000) and found.bleu4 == pytest.approx(100)
    assert found.cider_interval == pytest.approx((1000, 1000))
    assert found.bleu4_interval == pytest.approx((100, 100))


def test_intervals_are_drawn_over_pictures_and_are_the_same_every_time() -> None:
    texts = [f"one{i} two{i} three{i} four{i} five{i}" for i in range(12)]
    said = [text if i % 3 else "one two three four five" for i, text in enumerate(texts)]
    references = [[text] for text in texts]
    alone = score_captions(said, references)
    assert alone.cider == pytest.approx(1000 * 8 / 12)
    assert alone.cider_interval[0] < alone.cider < alone.cider_interval[1]
    assert alone.bleu4_interval[0] < alone.bleu4 < alone.bleu4_interval[1]
    again = score_captions(said, references)
    assert (again.cider_interval, again.bleu4_interval) == (
        alone.cider_interval,
        alone.bleu4_interval,
    )
    # The wrong ones share two pictures: fewer independent pictures, a wider interval.
    shared = score_captions(said, references, [str(i % 3) for i in range(12)])
    assert shared.cider_interval[0] < alone.cider_interval[0]
    assert shared.bleu4 == alone.bleu4


def said_of(*rows: tuple[str, str, str, str]) -> Said:
    columns = [list(column) for column in zip(*rows, strict=True)]
    ids = [str(index) for index in range(len(rows))]
    return Said(
        ids=ids, pictures=columns[0], questions=columns[1], truths=columns[2], plain=columns[3]
    )


def test_only_questions_that_ask_for_sentences_have_captions() -> None:
    rows = [
        ("p0", "Describe.", "a plain red star at the top", "a red star"),
        ("p0", "What color?", "red", "red"),
        ("p1", "Describe.", "a dotted blue ring at the left", "a blue ring"),
    ]
    found = captions_of(said_of(*rows))
    assert found is not None
    captions, references, pictures = found
    assert captions == ["a red star", "a blue ring"] and pictures == ["p0", "p1"]
    assert references == [["a plain red star at the top"], ["a dotted blue ring at the left"]]
    answers = said_of(*[("p", "What color?", "red", "red")] * 9, *rows)
    assert captions_of(answers) is None
    assert captions_of(said_of(*rows[:2])) is None and captions_of(Said()) is None


def test_rows_about_one_picture_are_its_references() -> None:
    rows = [
        ("p0", "Describe.", "a man rides a brown horse", "a man on a horse"),
        ("p0", "Describe.", "somebody on a horse", "a man on a horse"),
        ("p1", "Describe.", "two dogs in the snow", "a dog in snow"),
    ]
    found = captions_of(said_of(*rows))
    assert found is not None and found[0] == ["a man on a horse", "a dog in snow"]
    assert found[1] == [
        ["a man rides a brown horse", "somebody on a horse"],
        ["two dogs in the snow"],
    ]
