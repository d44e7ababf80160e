"""What results.json has for machines is what the page shows."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from fabricate_report import answers, material
from vocemo.lab.evaluate import Results
from vocemo.lab.report.html import Material, details


def test_it_is_plain_data_that_a_result_keeps_through_its_file() -> None:
    given = material()
    kept = dataclasses.replace(given.results, report=details(given))
    again = Results.from_dict(json.loads(json.dumps(kept.to_dict())))
    assert again.to_dict() == kept.to_dict()
    assert set(again.report) == {"reliability", "risk_coverage", "surest_mistakes", "trainings"}
    assert "report" not in given.results.to_dict()


def test_reliability_and_risk_are_those_of_the_figures() -> None:
    given = material()
    found, metrics = details(given), given.results.metrics
    after = found["reliability"]["after"]
    assert after["ece"] == pytest.approx(metrics["ece"].mean)
    assert sum(each["answers"] for each in after["bins"]) == len(answers())
    right = sum(each["answers"] * each["accuracy"] for each in after["bins"]) / len(answers())
    # Answering everything is wrong as often as accuracy says, and so the last point of the curve.
    assert found["risk_coverage"]["coverage"][-1] == 1.0
    assert found["risk_coverage"]["risk"][-1] == pytest.approx(1 - right)
    assert np.mean(found["risk_coverage"]["risk"]) == pytest.approx(metrics["aurc"].mean, abs=0.03)
    assert all(0 <= risk <= 1 for risk in found["risk_coverage"]["risk"])


def test_every_mistake_is_one_and_the_surest_comes_first() -> None:
    mistakes = details(material())["surest_mistakes"]
    assert mistakes
    assert all(each["emotion"] != each["answer"] for each in mistakes)
    sure = [each["probability"] for each in mistakes]
    assert sure == sorted(sure, reverse=True)
    assert all(each["probability_of_emotion"] <= each["probability"] for each in mistakes)


def test_trainings_come_with_their_epochs_and_audits() -> None:
    given = material()
    found = details(given)["trainings"]
    assert [(each["seed"], each["fold"]) for each in found] == [(t.seed, t.fold) for t in given.trainings]
    for each, training in zip(found, given.trainings, strict=True):
        assert [epoch["train_loss"] for epoch in each["epochs"]] == [e.train_loss for e in training.history]
        assert each["temperature"] == training.temperature
        assert each["audit"] == training.audit


def test_what_is_not_there_is_left_out() -> None:
    assert details(Material(material().results)) == {}
