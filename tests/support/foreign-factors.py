"""Writes item factors as a safetensors file with the standard library alone: foreign-factors.py OUT IDS DIMENSIONS

IDS is a file with one item id a line. Each factor is a hash of its place: what another trainer would write, without one.
"""
import json
import struct
import sys

out, ids, dimensions = sys.argv[1], sys.argv[2], int(sys.argv[3])
with open(ids, encoding="utf-8") as lines:
    rows = len(lines.read().split())
values = [((row * 2654435761 + k * 40503) % 1000) / 1000 - 0.5 for row in range(rows) for k in range(dimensions)]
header = json.dumps(
    {
        "__metadata__": {"encoder": "mean"},
        "item_factors": {
            "dtype": "F32",
            "shape": [rows, dimensions],
            "data_offsets": [0, 4 * len(values)],
        },
    }
).encode("utf-8")
with open(out, "wb") as file:
    # Not padded to eight bytes, as the format allows.
    file.write(struct.pack("<Q", len(header)) + header + struct.pack(f"<{len(values)}f", *values))
