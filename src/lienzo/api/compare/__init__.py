"""Families side by side on anybody's pictures, with what each costs: one page, and the same as plain data.

`report.json`, schema 1:

- "source"; "budget" (s of training each, or null); "settings": count, seeds, features, judge, scored, seed and watts;
  "machine": hardware, device, threads, torch; "data": fingerprint, held_out, training, and "said", what each
  column of samples hears.
- "quality": which figure stands for quality in plots and words: figure, name, and "better", the direction.
- "entrants": name → "kind" ("family" or "model"), "what" it is, "status" ("measured", "failed" or "waiting"), "error"
  (of a failure: stage, what and hint), family, parameters, weights, start (the model whose
  weights it began from, or ""), hears, options, shape (C, H, W), and

  - "training": seconds (wall, the whole process, all sittings), images, memory (peak, bytes), device_memory (of a GPU),
    idle (memory before the first picture: Python and its libraries); of a model that was trained elsewhere, or null;
  - "sampling": seconds a picture (median, and "least" and "most" of "repeats" times "pictures"), calls (evaluations of
    the network a picture), memory, device_memory, idle, "others" (cores that other programs kept busy) of "cores", and
    the "threads" that it drew with, and "dtype" of its products: that of its training, where that was here;
  - "energy": watt-hours of "training" and of a "thousand" pictures: watts × seconds, nothing measured;
  - "figures": FD, KID, precision, recall, density, coverage, two-sample, copied, repeated, obeyed, and maps' by their
    own names → "name" in full, mean, low and high (95 %, Student's t over sampling seeds, of a share no narrower than
    the binomial's; null for one seed), floor (the same of as many real pictures), and "pooled" of two-sample (the
    binomial interval of all seeds' tests);
  - "worst": the classes least recalled, with their recall;
  - "likelihood": bits/dim as `evaluate` tells it: mean, error, kind, pictures, dequantization; or null;
  - "refused": figures that so few pictures do not allow, why, and what means something instead;
  - "judge": who ranked captions (name, sha256) and how many "captions", or null;
  - "standard": a hash of what it was measured against; only entrants with the same one are ranked together;
  - "curve": quality on the way: share of the training, seconds, value;
  - "nearest": the training pictures nearest to the first samples: "space" → distance each, and "typical", the median
    distance of held-out pictures.

- "words": what the figures say, by the rules of `lienzo.api.compare.words`: about, names, text, and its basis.

Each training, each drawing and each evaluation has a process of its own, so that a peak of memory is its own: the
high-water mark of that process's resident memory, Python and libraries included.
"""

from lienzo.api.compare.run import compare

__all__ = ["compare"]
