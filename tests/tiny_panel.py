"""A panel that is trained on in a second: phased genotypes of people of two labels."""
import random

VARIANTS, SAMPLES = 40, 120
LABELS = ("north", "south")


def write(folder):
    """Writes real.vcf and panel.tsv, whose column of labels is pop."""
    draws = random.Random(1)
    samples = [f"S{i}" for i in range(SAMPLES)]
    shares = {label: [draws.uniform(0.2, 0.8) for _ in range(VARIANTS)] for label in LABELS}
    lines = ["##fileformat=VCFv4.3", "##contig=<ID=1,length=100000>",
             '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">',
             "\t".join(["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *samples])]
    labels = [LABELS[i % 2] for i in range(SAMPLES)]
    for v in range(VARIANTS):
        calls = ["|".join(str(int(draws.random() < shares[label][v])) for _ in range(2)) for label in labels]
        lines.append("\t".join(["1", str(100 * (v + 1)), f"v{v}", "A", "C", ".", ".", ".", "GT", *calls]))
    (folder / "real.vcf").write_text("\n".join(lines) + "\n")
    (folder / "panel.tsv").write_text("sample\tpop\n" + "".join(f"{s}\t{p}\n" for s, p in zip(samples, labels)))
