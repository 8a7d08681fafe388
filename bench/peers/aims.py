"""What melgrad set out for on the CPU (two threads, float32), and how far a run of bench/peers/models.py has come.

On machines without AVX-512 three quarters of each ratio.
"""

# (model, pass, batch): peer and ratio
AIMS = [
    ("samplecnn", "train", 8, "pytorch tuned", 6.5), ("samplecnn", "train", 8, "pytorch", 12),
    ("samplecnn", "train", 23, "pytorch tuned", 6.5), ("samplecnn", "train", 23, "pytorch", 12),
    ("samplecnn", "infer", 8, "openvino", 2.8), ("samplecnn", "infer", 8, "pytorch tuned", 5),
    ("samplecnn", "infer", 1, "openvino", 2.2), ("samplecnn", "infer", 1, "pytorch tuned", 4),
    ("samplecnn-block1", "train-forward", 8, "pytorch tuned", 40),
    ("samplecnn-strided", "train", 8, "pytorch tuned", 4.5),
    ("choi-fcn5", "train", 8, "pytorch tuned", 2.5), ("choi-fcn5", "infer", 8, "pytorch tuned", 2.5),
    ("gtzan-cnn", "train", 32, "pytorch tuned", 5), ("gtzan-cnn", "infer", 32, "pytorch tuned", 6),
    ("key-cnn", "train", 32, "pytorch tuned", 2.5), ("key-cnn", "infer", 32, "pytorch tuned", 3),
]
MEMORY_AIM = 4  # PyTorch's peak over ours


def print_aims(result):
    """The table against the aims, every row in which a peer is faster, and both as a list for the JSON."""
    scale = 1 if result["simd"].startswith("AVX3") else 0.75
    rows = {(row["model"], row["pass"], row["batch"]): row for row in result["rows"]}
    table = []
    print("\n| | batch | against | ratio | aim | |\n|---|---|---|---|---|---|")
    for model, which, batch, peer, aim in AIMS:
        row = rows.get((model, which, batch))
        if row is None:
            continue
        ratio = row["ratios"][peer]
        table.append(dict(model=model, batch=batch, against=peer, ratio=ratio, aim=aim * scale,
                          met=ratio >= aim * scale, **{"pass": which}))
        print(f"| {model} {which} | {batch} | {peer} | {ratio:.2f} | {aim * scale:.2f} | "
              f"{'met' if ratio >= aim * scale else 'missed'} |")
    if "memory" in result:
        ratio = result["memory"]["pytorch"]["peak"] / result["memory"]["melgrad"]["peak"]
        table.append(dict(model="samplecnn", batch=23, against="pytorch", ratio=ratio, aim=MEMORY_AIM,
                          met=ratio >= MEMORY_AIM, **{"pass": "memory"}))
        print(f"| samplecnn peak memory | 23 | pytorch | {ratio:.2f} | {MEMORY_AIM} | {'met' if ratio >= MEMORY_AIM else 'missed'} |")
    print(f"| samplecnn infer bf16 | 8 | openvino bf16 | | 1.3 | not measured: "
          f"{'no bf16 inference here yet' if result['amx'] else 'this machine has no AMX'} |")
    slower = [(row, *min(row["ratios"].items(), key=lambda item: item[1])) for row in result["rows"]]
    slower = [(row, peer, ratio) for row, peer, ratio in slower if ratio < 1 and "bf16" not in peer]
    print(f"\nrows in which the best peer is faster: {len(slower)} of {len(result['rows'])}")
    for row, peer, ratio in slower:
        print(f"  {row['model']} {row['pass']} batch {row['batch']}: {peer}, {1 / ratio:.2f} times as fast")
    return table
