"""What every model card says, whatever the model: uses, limits of the task, and what licences mean.

The European law is Regulation (EU) 2024/1689 (Artificial Intelligence Act),
http://data.europa.eu/eli/reg/2024/1689/oj.
"""

from __future__ import annotations

FIGURES = {
    "uar": "UAR (unweighted average recall)",
    "accuracy": "accuracy (WAR)",
    "macro_f1": "macro F1",
    "top2": "right emotion among the two most probable",
    "loss": "log loss, nats",
    "brier": "Brier score",
    "ece": "ECE (expected calibration error)",
    "aurc": "AURC (area under the risk-coverage curve)",
}
LANGUAGES = {"de": "German", "el": "Greek", "en": "English"}

NO_SHARES = ("loss", "brier", "ece", "aurc")

INTENDED = [
    "Research and teaching on emotion in speech; describing collections of recordings; art, games and tools "
    "in which a wrong answer costs nothing; and the study of such models' faults. The people who are heard "
    "know of it and agree.",
    "An answer says which acted expression a recording sounds most like. It does not say what anybody "
    "feels, means or is like.",
]

REFUSED = [
    "- Judging people: hiring, pay, promotion, dismissal, marks, admission, credit, insurance, benefits, "
    "asylum, policing, courts, lie detection.\n"
    "- Watching people at work or at school. In the European Union, Article 5(1)(f) of Regulation (EU) "
    "2024/1689 (AI Act) forbids, since 2 February 2025, placing on the market, putting into service for "
    "that purpose, or using AI systems that infer emotions of people in the workplace and in education, "
    "unless it is for medical or safety reasons. Elsewhere in the Union, emotion recognition is among the "
    "high-risk uses (Annex III, point 1(c)), and whoever uses it must tell the people concerned (Article "
    "50(3)). This is a pointer, not legal advice.\n"
    "- Diagnosis, therapy, crisis lines, or anything in which somebody comes to harm by a wrong answer.\n"
    "- Listening to people who do not know of it or did not agree.",
]

METRICS = [
    "The headline is UAR, the mean of the recalls of the emotions, which guessing the most frequent emotion "
    "does not raise. Intervals are t intervals over speakers, not clips: clips of one voice fail together; "
    "an interval is about the value on all test clips pooled. A figure whose test speakers were in training "
    "is called LEAKY wherever it stands. docs/measuring.md of vocemo defines all of them.",
]

ETHICS = [
    "Emotion cannot be read off a voice. People show what they feel differently by culture, situation and "
    "temperament, and hide or play it; that a sound expresses one emotion in all people is disputed "
    "(Barrett et al. 2019, Psychological Science in the Public Interest 20(1), 1-68, "
    "doi:10.1177/1529100619832930).",
    "A voice is personal data, and may identify who speaks. The file holds no recording; whether weights "
    "reveal whose voice they learnt from has not been examined.",
    "A model that errs more for one group harms that group more; the gaps that were measured stand above, "
    "and the others are unknown.",
]

CAVEATS = [
    "The list of emotions is closed: what is none of them gets one of them.",
    "Look at the second most probable emotion and at the confidence; leave an uncertain answer unanswered.",
    "Measure it on recordings of your own before you trust it: `vocemo evaluate FILE --corpus folder:DIR`.",
]

NO_LAWYER = (
    "vocemo passes the terms of the recordings on to the weights, which is the careful reading. Whether "
    "weights are an adaptation of what they were trained on is not settled; ask a lawyer before you rely on "
    "the opposite."
)

ENERGY = (
    "Estimates follow Green Algorithms (Lannelongue, Grealey & Inouye 2021, Advanced Science 8(12), "
    "2100707, doi:10.1002/advs.202100707): time x (cores x 12 W + graphics cards x 200 W + memory in GB x "
    "0.3725 W) x PUE 1.67, the powers being those for unknown makes. Trials before this recipe was chosen "
    "are not in it, nor is the making of an encoder that was trained elsewhere."
)

ANSWER_TIME = (
    "Time of an answer: not measured here; `bench/predict_start.py` of vocemo's repository measures it."
)

_MEANINGS = (
    (
        "CC BY-NC-ND",
        "non-commercial use only; whether a trained model may be passed on at all is doubtful (no "
        "derivatives)",
    ),
    (
        "CC BY-NC-SA",
        "non-commercial use only; credit as above; what is made of them goes under the same licence",
    ),
    ("CC BY-NC", "non-commercial use only; credit as above"),
    ("CC BY-SA", "any use; credit as above; what is made of them goes under the same licence"),
    ("CC BY", "any use; credit as above"),
    ("ODbL", "any use; credit as above; a database made of it stays open"),
    ("free for research", "research use; ask the corpus's authors for any other"),
    ("yours", "whatever you decide, as far as the people who are heard agreed to it"),
)


def meaning(licence: str) -> str:
    """What a corpus's licence means for weights, in a line.

    >>> meaning("CC BY 4.0, as its card says")
    'any use; credit as above'
    >>> meaning("by agreement")
    'read it, or ask whoever gave you the recordings'
    """
    for begin, means in _MEANINGS:
        if licence.startswith(begin):
            return means
    return "read it, or ask whoever gave you the recordings"
