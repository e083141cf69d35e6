"""What is where in scenes: the maps agree with the picture, with one another, and with what was laid out."""

import numpy as np
import pytest

from lienzo.core import DataError
from lienzo.data import map_sheet, open_source
from lienzo.data.edges import edges, grown
from lienzo.data.scenes.combinations import combination, split_of
from lienzo.data.scenes.figures import ACTIONS, JOINTS, Figure, skeleton
from lienzo.data.scenes.groups import GROUPS


@pytest.fixture(scope="module")
def scenes():
    return open_source("scenes:300")


@pytest.fixture(scope="module")
def figures():
    return open_source("scenes:300", where={"action": list(ACTIONS)})


def planes(dataset, name, rows):
    return np.stack([value[:, :, 0] for value in dataset.values(name, rows)])


def test_maps_are_drawn_when_they_are_asked_for():
    scenes = open_source("scenes:30")
    scenes.pictures(range(30))
    maps = {name: scenes.table.maps[name][0] for name in ("segmentation", "depth", "lines", "pose")}
    assert not any(planes._done.any() for planes in maps.values())
    scenes.values("segmentation", [3, 4])
    assert np.flatnonzero(maps["segmentation"]._done).tolist() == [3, 4]
    assert not maps["lines"]._done.any()
    assert not maps["depth"]._done.any()


def test_one_to_four_things_are_there_and_seen(scenes):
    seen = [set(np.unique(ids[ids >= 2]).tolist()) for ids in planes(scenes, "instances", range(len(scenes)))]
    counts = [max(each) - 1 for each in seen]
    assert set(counts) == {1, 2, 3, 4}
    whole = [each == set(range(2, most + 2)) for each, most in zip(seen, counts, strict=True)]
    assert np.mean(whole) > 0.97, "nearly never is a thing wholly hidden"


def test_maps_do_not_depend_on_what_was_asked_before(scenes):
    again = open_source("scenes:20")
    names = ("segmentation", "depth", "lines", "instances")
    for name in names[::-1]:
        assert (planes(again, name, range(20)) == planes(scenes, name, range(20))).all()


def test_segmentation_says_what_the_instances_are(scenes):
    for row in range(60):
        scene = scenes.table.planes.scene(row)
        ids, classes = (planes(scenes, name, [row])[0] for name in ("instances", "segmentation"))
        assert ids.max() < len(scene.layers) + 2
        assert (classes[ids == 0] == GROUPS.index("sky")).all()
        assert (classes[ids == 1] == GROUPS.index("ground")).all()
        for number in range(2, ids.max() + 1):
            assert len(np.unique(classes[ids == number])) <= 1
        assert ids[0].min() == 0
        assert ids[-1].max() >= 1
        assert (ids[-1] > 0).all()


def test_a_house_is_a_building_in_any_weather(scenes):
    every = open_source("scenes:300", where={"subgroup": ["place-religious"]})
    for row in range(min(10, len(every))):
        scene = every.table.planes.scene(int(every.rows[row]))
        left, top, right, bottom = (int(v * 64) for v in scene.layers[0].box)
        inside = planes(every, "segmentation", [row])[0][(top + bottom) // 2, (left + right) // 2]
        assert GROUPS[inside] == "building"
    assert {"snow", "clear"} <= set(every.values("weather", range(len(every))))


def test_depth_is_continuous_over_the_ground_and_things_stand_at_their_feet(scenes):
    for row in range(40):
        drawn = scenes.table.planes
        ids, z = drawn.ids(row), drawn.depth(row)
        assert np.isinf(z[ids == 0]).all()
        ground = np.where(ids == 1, z, np.nan)
        both = (ids[1:] == 1) & (ids[:-1] == 1)
        assert (ground[1:][both] <= ground[:-1][both] + 1e-6).all()  # nearer and nearer, down the picture
        assert np.abs(1 / ground[1:][both] - 1 / ground[:-1][both]).max() < 2 / 64 / (1 - 0.7)  # and no step in 1 / z
        assert np.nanmin(ground) < 1.05
        for number, layer in enumerate(drawn.scene(row).layers, start=2):
            mine = z[ids == number]
            if not mine.size:
                continue
            assert mine.min() == mine.max()
            foot, beside = min(63, int(layer.box[3] * 64)), ids[min(63, int(layer.box[3] * 64))] == 1
            if beside.any():  # the ground beside its foot is as far, up to the hills' waves
                assert abs(1 / mine[0] - np.median(1 / z[foot][beside])) < 0.15
        seen = [z[ids == number][0] for number in range(2, 5) if (ids == number).any()]
        assert seen == sorted(seen)
        column = planes(scenes, "depth", [row])[0]
        assert np.abs(column / 255 - np.minimum(1 / z, 1)).max() < 0.003


def test_lines_lie_on_outlines_and_are_thin(scenes):
    lines, ids = planes(scenes, "lines", range(60)) > 0, planes(scenes, "instances", range(60))
    border = np.zeros(ids.shape, bool)
    border[:, 1:] |= ids[:, 1:] != ids[:, :-1]
    border[:, :, 1:] |= ids[:, :, 1:] != ids[:, :, :-1]
    things = ids >= 2
    for one, edge, thing in zip(lines, border, things, strict=True):
        near = grown(one)
        around = edge & grown(thing)
        assert near[around].mean() > 0.97
        assert 0.02 < one.mean() < 0.35
        blocks = one[1:, 1:] & one[:-1, 1:] & one[1:, :-1] & one[:-1, :-1]
        assert blocks.sum() < 0.12 * one.sum()
    clear = (lines & ~things).sum() / lines.sum()
    assert clear < 0.35  # the horizon, and nothing of clouds, rain or flakes


def test_edges_of_a_square_are_its_border():
    pixels = np.zeros((20, 24, 3))
    pixels[6:15, 5:19, 1] = 200
    found = edges(pixels, low=20, high=50)
    y, x = np.nonzero(found)
    assert {y.min(), y.max()} <= {5, 6, 14, 15}
    assert {x.min(), x.max()} <= {4, 5, 18, 19}
    assert not found[8:13, 8:16].any()
    assert found.sum() == pytest.approx(2 * (9 + 14), abs=8)
    weak = pixels.copy()
    weak[:, :, 1] /= 10
    assert not edges(weak, low=5, high=25).any()


def test_the_same_maps_at_128_pixels(scenes):
    large = open_source("scenes:300", size=128)
    for name in ("instances", "depth"):
        small, twice = planes(scenes, name, range(20)), planes(large, name, range(20))[:, ::2, ::2]
        assert (np.abs(small.astype(int) - twice) > 12).mean() < 0.04
    classes = planes(large, "segmentation", range(20))[:, ::2, ::2]
    assert (classes == planes(scenes, "segmentation", range(20))).mean() > 0.96


def test_figures_do_what_is_said(figures):
    words = {"walking": ("walk", "camina", "paseo", "pasea"), "running": ("running", "jogging", "corr"),
             "jumping": ("jumping", "salta"), "waving": ("waving", "salud")}  # fmt: skip
    assert 0.05 < len(figures) / 300 < 0.2
    assert set(figures.values("group", range(len(figures)))) == {"people-body"}
    for action, texts in zip(figures.values("action", range(len(figures))), figures.values("text", range(len(figures))),
                             strict=True):  # fmt: skip
        assert any(word in text for text in texts for word in words[action])
        others = [word for name, mine in words.items() if name != action for word in mine]
        assert not any(word in text for text in texts for word in others)


def test_keypoints_lie_on_the_figure_and_only_figures_have_a_pose(figures, scenes):
    drawn = figures.table.planes
    for row in figures.rows.tolist():
        points, ids = drawn.keypoints(row), drawn.ids(row)
        assert points.shape == (1, 17, 3)
        person = grown(ids == 2, 2)
        for x, y, seen in points[0]:
            assert seen in (0, 1, 2)
            assert person[int(y), int(x)]
    poses = scenes.values("pose", range(300))
    actions = scenes.values("action", range(300))
    assert [pose is not None for pose in poses] == [action is not None for action in actions]
    assert all(pose.max() > 0 for pose in poses if pose is not None)


def test_skeletons_move_as_their_action_says():
    at = {name: number for number, name in enumerate(JOINTS)}
    for phase in (0.1, 0.3, 0.6, 0.9):
        for facing in (1, -1):
            made = {action: skeleton(Figure(action, phase, facing, "red", 0)).joints for action in ACTIONS}
            wrists = {name: j[[at["left wrist"], at["right wrist"]], 1] for name, j in made.items()}
            nose = {name: j[at["nose"], 1] for name, j in made.items()}
            assert (wrists["jumping"] < nose["jumping"]).all()
            assert (wrists["waving"] < nose["waving"] + 0.1).sum() == 1
            assert (wrists["walking"] > nose["walking"]).all()
            stride = {name: np.ptp(j[[at["left ankle"], at["right ankle"]], 0]) for name, j in made.items()}
            assert stride["running"] > stride["walking"] > 0.1
            assert made["jumping"][[at["left ankle"], at["right ankle"]], 1].max() < 0.85
            assert made["waving"][[at["left ankle"], at["right ankle"]], 1].max() > 0.9
            for name, joints in made.items():
                for side in ("left", "right"):
                    thigh = joints[at[f"{side} hip"]] - joints[at[f"{side} knee"]]
                    shin = joints[at[f"{side} knee"]] - joints[at[f"{side} ankle"]]
                    assert np.hypot(*thigh) == pytest.approx(np.hypot(*shin)), name


def test_left_and_right_are_the_figures_own():
    front = skeleton(Figure("jumping", 0.5, 1, "red", 0)).joints
    for part in ("eye", "ear", "shoulder", "elbow", "wrist", "hip", "knee", "ankle"):
        assert front[JOINTS.index(f"left {part}"), 0] > front[JOINTS.index(f"right {part}"), 0]


def test_no_training_scene_shows_a_combination_that_is_held_out(scenes):
    for row in range(300):
        scene, cast = scenes.table.planes.scene(row), scenes.table.planes.cast(row)
        assert {combination(scene, layer, cast) for layer in scene.layers} == {"train"}
    with pytest.raises(DataError, match="validation, test"):
        open_source("combinations:20")
    for split in ("validation", "test"):
        unseen = open_source("combinations:20", split=split)
        assert len(unseen) == 20
        train = set(open_source("emoji").rows.tolist())
        for row in range(20):
            scene, cast = unseen.table.planes.scene(row), unseen.table.planes.cast(row)
            assert combination(scene, scene.layers[0], cast) == split
            assert scene.layers[0].row in train
    shares = [split_of(f"thing {i}", "rain", "noto") for i in range(4000)]
    assert shares.count("test") / 4000 == pytest.approx(0.025, abs=0.008)


def test_the_sheet_shows_every_map_and_a_legend(scenes):
    sheet = map_sheet(scenes, range(4))
    assert sheet.width > 6 * 64
    colours = {colour for _, colour in sheet.getcolors(1 << 20)}
    assert {(134, 190, 240), (150, 120, 84), (245, 230, 60)} <= colours
