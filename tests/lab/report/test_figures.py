import subprocess
import sys

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from contrast import contrast
from vocemo.emotions import EMOTIONS
from vocemo.errors import UsageError
from vocemo.lab.history import EpochRecord
from vocemo.lab.report import figures

CONFUSION = np.diag(np.arange(8) + 3) + np.eye(8, k=1, dtype=int)


def texts(figure):
    """All that a figure says."""
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def history(epochs=12, validated=True):
    return [
        EpochRecord(
            epoch,
            1e-3 * 0.5 ** (epoch // 5),
            2 / epoch,
            1 - 1 / (epoch + 1),
            *((2.5 / epoch + 0.01 * epoch, 0.6, 0.5) if validated else (None, None, None)),
        )
        for epoch in range(1, epochs + 1)
    ]


def confusion(**options):
    return figures.confusion_figure(
        CONFUSION, EMOTIONS, **{"title": "a recipe", "protocol": "emobox-6", **options}
    )


def curves(records, **options):
    return figures.training_figure(records, **{"title": "a recipe", "protocol": "emobox-6", **options})


def shown_ticks(axes):
    """Tick labels within the axes: Matplotlib keeps some beyond them that it does not draw."""
    for axis, limits in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
        for tick in axis.get_major_ticks():
            if tick.label1.get_visible() and min(limits) <= tick.get_loc() <= max(limits):
                yield tick.label1


def assert_nothing_overlaps(figure):
    """No two texts cover each other, and none leaves the picture."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    renderer = canvas.get_renderer()
    boxes = []
    for axes in figure.axes:
        for text in (*axes.texts, *shown_ticks(axes), axes.xaxis.label, axes.yaxis.label):
            if text.get_text() and text.get_visible() and not text.get_rotation():
                boxes.append((text.get_text(), text.get_window_extent(renderer)))
    width, height = figure.get_size_inches() * figure.dpi
    for place, (text, box) in enumerate(boxes):
        assert box.x0 >= 0, text
        assert box.y0 >= 0, text
        assert box.x1 <= width, text
        assert box.y1 <= height, text
        for other, covered in boxes[place + 1 :]:
            # Half a point of the empty margin of a line may be shared.
            apart = (
                min(box.x1, covered.x1) - max(box.x0, covered.x0) < 0.5
                or min(box.y1, covered.y1) - max(box.y0, covered.y0) < 0.5
            )
            assert apart, (text, other)


def test_the_confusion_matrix_says_counts_shares_and_recalls():
    said = texts(confusion())
    assert said.count("10") == 1
    assert "75%" in said  # 3 of 4 neutral clips
    assert "75.0%" in said
    assert said.count("·") == 64 - 15
    assert "a recipe" in said
    assert any(text.startswith("emobox-6   UAR 86.") and text.endswith("59 clips") for text in said)


def test_counts_of_several_seeds_are_said_to_be():
    assert any(
        "20 clips x 3 seeds" in text
        for text in texts(
            figures.confusion_figure([[30, 0], [0, 30]], ("a", "b"), title="t", protocol="p", seeds=3)
        )
    )


@pytest.mark.parametrize("draw", [confusion, lambda **options: curves(history(), **options)])
def test_a_leak_is_said_in_the_figure(draw):
    assert figures.LEAKY_NOTE not in texts(draw())
    assert figures.LEAKY_NOTE in texts(draw(leaky=True))


@pytest.mark.parametrize(
    "emotions", [("happy", "sad"), EMOTIONS, (*EMOTIONS, "boredom", "excitement", "frustration")]
)
@pytest.mark.parametrize("leaky", [False, True])
def test_texts_of_a_confusion_matrix_do_not_overlap(emotions, leaky):
    counts = np.random.default_rng(0).integers(0, 400, (len(emotions), len(emotions)))
    counts[-1] = 0
    assert_nothing_overlaps(
        figures.confusion_figure(
            counts, emotions, title="dual-channel-cnn on ravdess", protocol="random", leaky=leaky
        )
    )


@pytest.mark.parametrize("epochs", [1, 2, 60])
def test_texts_of_the_curves_do_not_overlap(epochs):
    assert_nothing_overlaps(curves(history(epochs), leaky=True, best_epoch=epochs))


def test_text_in_a_cell_stands_out_from_it():
    # WCAG 2.1: the contrast ratio of text is 4.5 or more.
    shades = mpl.colormaps[figures.SHADES]
    for share in np.linspace(0, 1, 101):
        assert contrast(shades(share), figures.ink_on(share)) >= 4.5, share


def test_the_curves_are_those_of_the_history():
    records = history()
    figure = curves(records, best_epoch=7)
    loss, share, rate = figure.axes
    lines = {line.get_label(): line for axes in (loss, share) for line in axes.get_lines()}
    np.testing.assert_array_equal(lines["training loss"].get_ydata(), [r.train_loss for r in records])
    np.testing.assert_array_equal(lines["validation loss"].get_ydata(), [r.validation_loss for r in records])
    np.testing.assert_allclose(lines["validation UAR"].get_ydata(), 50)
    np.testing.assert_allclose(
        lines["training accuracy"].get_ydata(), [100 * r.train_accuracy for r in records]
    )
    np.testing.assert_array_equal(rate.patches[0].get_data().values, [r.learning_rate for r in records])
    assert any(
        "kept epoch 7 (validation loss 0.43, accuracy 60.0%, UAR 50.0%)" in text for text in texts(figure)
    )


def test_without_validation_only_training_is_drawn():
    figure = curves(history(validated=False), best_epoch=12)
    labels = [line.get_label() for axes in figure.axes for line in axes.get_lines()]
    assert [label for label in labels if not label.startswith("_")] == ["training loss", "training accuracy"]


def test_a_wild_first_loss_does_not_flatten_the_others():
    records = history(30)
    wild = [EpochRecord(1, 1e-3, 2.0, 0.1, 400.0, 0.1, 0.1), *records[1:]]
    assert curves(wild).axes[0].get_ylim()[1] < 5


def test_saving_writes_a_png_of_its_size_and_leaves_nothing_else(tmp_path):
    path = figures.save(confusion(), tmp_path / "confusion.png")
    assert path.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert [p.name for p in tmp_path.iterdir()] == ["confusion.png"]
    assert figures.save(confusion(), tmp_path / "again.png").read_bytes() == path.read_bytes()


def test_what_cannot_be_drawn_is_said():
    with pytest.raises(UsageError, match=r"must be \(8, 8\)"):
        figures.confusion_figure([[1]], EMOTIONS, title="", protocol="")
    with pytest.raises(UsageError, match="one or more"):
        curves([])


def test_drawing_leaves_pyplot_and_settings_alone():
    code = (
        "import sys, matplotlib; before = matplotlib.rcParams.copy();"
        "from vocemo.lab.report import figures;"
        "figures.confusion_figure([[1, 0], [0, 1]], ['a', 'b'], title='', protocol='').canvas;"
        "assert 'matplotlib.pyplot' not in sys.modules; assert matplotlib.rcParams.copy() == before"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_importing_the_module_does_not_import_matplotlib():
    code = "import sys, vocemo.lab.report.figures; assert 'matplotlib' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
