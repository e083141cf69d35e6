"""Make the skeletons of full-body Fluent figures that ship with lienzo (`src/lienzo/assets/emoji/poses.json`).

BlazePose ("BlazePose: On-device Real-time Body Pose tracking", Bazarevsky 2020), as MediaPipe 0.10.21 holds it, looks
at every person of the embedded `fluent-3d` emoji in the default skin tone, four times enlarged on white. Kept are those
whose seventeen COCO joints all lie within the picture and whose hips, knees and ankles it is sure of; what was wrong
when it was looked at is left out by name. In an environment of its own (Python 3.11), a quarter of a minute:

    pip install mediapipe==0.10.21 "pyarrow<20"
    python tools/build_poses.py
"""

from __future__ import annotations

import argparse
import io
import json
from pathlib import Path
from typing import Any

import mediapipe
import numpy as np
import pyarrow.parquet as pq
from PIL import Image

EMOJI = Path(__file__).parent.parent / "src" / "lienzo" / "assets" / "emoji"
COCO = (0, 2, 5, 7, 8, 11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28)  # BlazePose's joints in COCO's order
LEGS = slice(11, 17)
LARGER, MARGIN = 4, 32  # times; pixels of paper around, in which a joint at the edge is still found
SURE = 0.5
WRONG = {
    "1f3c7": "the horse's legs",
    "1f46f": "two people, one skeleton",
    "1f9b9": "a bust",
    "1f9bd": "legs in the wheel",
}  # a codepoint of it → what was seen


def people() -> list[dict[str, Any]]:
    """Every person drawn whole or in part, in one style and one skin tone."""
    found = pq.read_table(EMOJI / "mit.parquet").to_pylist()
    ours = [r for r in found if r["style"] == "fluent-3d" and not r["skin_tone"] and "person" in r["subgroup"]]
    return sorted(ours, key=lambda row: row["codepoints"])


def joints(pose: Any, picture: bytes) -> np.ndarray[Any, Any] | None:
    """Return x and y as shares of the picture and how sure the model is, (17, 3); None where it sees nobody."""
    image = Image.open(io.BytesIO(picture)).convert("RGBA")
    side = image.width * LARGER
    paper = Image.new("RGBA", (side + 2 * MARGIN, side + 2 * MARGIN), "white")
    paper.alpha_composite(image.resize((side, side), Image.Resampling.LANCZOS), (MARGIN, MARGIN))
    seen = pose.process(np.asarray(paper.convert("RGB"))).pose_landmarks
    if seen is None:
        return None
    points = np.array([(p.x, p.y, p.visibility) for p in seen.landmark])[list(COCO)]
    points[:, :2] = (points[:, :2] * paper.width - MARGIN) / side
    return points


def main() -> None:
    """Find, choose, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=EMOJI / "poses.json")
    out, poses = parser.parse_args().out, dict[str, list[list[float]]]()
    pose = mediapipe.solutions.pose.Pose(static_image_mode=True, model_complexity=1, min_detection_confidence=0.3)
    for row in people():
        found = joints(pose, row["image"])
        if found is None or WRONG.keys() & row["codepoints"].split("-"):
            continue
        if found[:, :2].min() >= 0 and found[:, :2].max() < 1 and found[LEGS, 2].min() > SURE:
            poses[row["codepoints"]] = [[round(float(v), 3) for v in joint] for joint in found]
    about = {
        "style": "fluent-3d",
        "skin_tone": "",
        "joints": "COCO's 17: x and y as shares of the picture from its left upper corner, how sure the model is",
        "made_by": f"BlazePose (full) of MediaPipe {mediapipe.__version__}, Apache-2.0; tools/build_poses.py",
    }
    lines = ",\n".join(f'  "{code}": {json.dumps(points)}' for code, points in poses.items())
    out.write_text(f'{json.dumps(about, indent=1)[:-2]},\n "poses": {{\n{lines}\n }}\n}}\n', encoding="utf-8")
    print(f"{len(poses)} figures in {out}")


if __name__ == "__main__":
    main()
