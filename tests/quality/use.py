"""Figures of use by scikit-learn, scipy and plink2: classifiers, prediction of phenotypes, association."""
import pathlib
import subprocess
import tempfile

import numpy as np
import scipy.stats
from sklearn.linear_model import Ridge, RidgeClassifier
from sklearn.metrics import r2_score, roc_auc_score
from sklearn.neighbors import KNeighborsClassifier

import cohorts

SAMPLES = 80
VARIANTS = 120
LABELS = 3
COMMON = 47  # a variant with a large effect
LOW, HIGH = 22, 25  # limits of the labels
SEEDS = {"synthetic": 303, "floor": 304, "naive": 305, "members": 301, "holdout": 302}
CANDIDATES = ["synthetic", "floor", "naive"]


def noise(seed, kind, bound):
    random = cohorts.Random(1000 * seed + kind)
    return np.array([random.below(bound) for _ in range(SAMPLES)])


def labels_of(seed, x):
    """Labels that genotypes tell in part, as LabelsOfTest in core/quality/use_test.cc."""
    score = x[:, 1::4].astype(int).sum(axis=1) + noise(seed, 3, 5)
    return (score > LOW).astype(int) + (score > HIGH)


def phenotypes(seed, x):
    """As PhenotypesOfTest in core/quality/use_test.cc: height, case (two levels), type (three) and flat (constant)."""
    x = x.astype(int)
    effects = np.array([(v // 5 % 5 - 2) * 2 if v % 5 == 0 else 0 for v in range(VARIANTS)])
    effects[COMMON] += 16
    height = (x @ effects + noise(seed, 0, 40)).astype(float)
    height[np.arange(SAMPLES) % 11 == 3] = np.nan
    case = (x[:, ::7].sum(axis=1) + noise(seed, 1, 6) > 18).astype(float)
    score = x[:, ::3].sum(axis=1) + noise(seed, 2, 8)
    kind = (score > 37).astype(float) + (score > 41)
    return {"height": height, "case": case, "type": kind}


def penalty(x):
    return ((x - x.mean(axis=0)) ** 2).sum(axis=1).mean()


def neighbours(train, labels, test):
    # Of equally near samples the first, of labels with equal votes that of the nearest.
    distances = scipy.spatial.distance.cdist(test, train, "cityblock") + 1e-6 * np.arange(len(train))
    own = scipy.spatial.distance.cdist(train, train, "cityblock")
    classifier = KNeighborsClassifier(
        5, metric="precomputed", weights=lambda d: np.zeros(d.shape) + 1 + 1e-3 * 0.5 ** np.arange(5))
    return classifier.fit(own, labels).predict(distances)


def linear(train, labels, test):
    return RidgeClassifier(alpha=penalty(train)).fit(train, labels).predict(test)


def scores(train, y, test):
    return Ridge(alpha=penalty(train), solver="svd").fit(train, y).predict(test)


def regress(x, y, labels):
    """Effect, t and log10 p of each variant by least squares with an intercept a label."""
    known = ~np.isnan(y)
    x, y, labels = x[known].astype(float), y[known], labels[known]
    frame = np.eye(LABELS)[labels]
    result = []
    for v in range(VARIANTS):
        p = x[:, v].mean() / 2
        if min(p, 1 - p) < 0.01:
            result.append(None)
            continue
        design = np.column_stack([frame, x[:, v]])
        inverse = np.linalg.inv(design.T @ design)
        beta = inverse @ design.T @ y
        freedom = len(y) - LABELS - 1
        left = ((y - design @ beta) ** 2).sum() / freedom
        t = beta[-1] / np.sqrt(left * inverse[-1, -1])
        result.append((beta[-1], t, np.log10(2 * scipy.stats.t.sf(abs(t), freedom))))
    return result


def associations(real, other):
    both = [v for v in range(VARIANTS) if real[v] and other[v]]
    hits = [{v for v in both if scan[v][2] < np.log10(0.05 / len(both))} for scan in (real, other)]
    either = hits[0] | hits[1]
    return {
        "tested": len(both),
        "beta_r": float(scipy.stats.pearsonr([real[v][0] for v in both], [other[v][0] for v in both])[0]),
        "hits": len(either),
        "overlap": len(hits[0] & hits[1]) / len(either) if either else None,
        "lambda": float(np.median([r[1] ** 2 for r in other if r]) / scipy.stats.chi2.ppf(0.5, 1)),
    }


def plink(x, y, labels):
    """Effects, t and log10 p by plink2 --glm, with labels as covariates where there are any."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        names = [f"s{i}" for i in range(len(x))]
        with open(folder / "x.vcf", "w") as vcf:
            vcf.write("##fileformat=VCFv4.3\n##contig=<ID=1>\n")
            vcf.write('##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\n')
            fixed = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT"]
            vcf.write("\t".join(fixed + names) + "\n")
            for v in range(VARIANTS):
                calls = [("0/0", "0/1", "1/1")[g] for g in x[:, v]]
                vcf.write("\t".join(["1", str(1000 * (v + 1)), f"rs{v}", "A", "C", ".", ".", ".", "GT"] + calls) + "\n")
        (folder / "x.pheno").write_text(
            "#IID\theight\n" + "".join(f"{n}\t{'NA' if np.isnan(h) else h}\n" for n, h in zip(names, y)))
        command = ["plink2", "--vcf", "x.vcf", "--pheno", "x.pheno", "--out", "x", "--no-psam-pheno"]
        if labels is None:
            command += ["--glm", "omit-ref", "allow-no-covars", "hide-covar", "log10"]
        else:
            (folder / "x.cov").write_text(
                "#IID\tB\tC\n" + "".join(f"{n}\t{int(k == 1)}\t{int(k == 2)}\n" for n, k in zip(names, labels)))
            command += ["--covar", "x.cov", "--glm", "omit-ref", "hide-covar", "log10"]
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
        lines = [line.split("\t") for line in (folder / "x.height.glm.linear").read_text().splitlines()]
        at = {name: lines[0].index(name) for name in ("ID", "BETA", "T_STAT", "LOG10_P")}
        result = {}
        for line in lines[1:]:
            if line[at["BETA"]] != "NA":
                result[line[at["ID"]]] = [float(line[at[name]]) for name in ("BETA", "T_STAT", "LOG10_P")]
        return result


def expected():
    x = {name: cohorts.diploid(seed, SAMPLES, VARIANTS, 1).astype(int) for name, seed in SEEDS.items()}
    labels = {name: labels_of(seed, x[name]) for name, seed in SEEDS.items()}
    y = {name: phenotypes(seed, x[name]) for name, seed in SEEDS.items()}
    y["naive"] = y["holdout"]
    test = x["holdout"]

    result = {"accuracy": {}, "gain": {}, "recovered": {}}
    for name, classify in (("nearest neighbours", neighbours), ("linear", linear)):
        truth = labels["holdout"]
        alone = [float((classify(x[c], labels[c], test) == truth).mean()) for c in CANDIDATES]
        added = []
        for c in ("synthetic", "members", "naive"):
            both = np.vstack([x["floor"], x[c]])
            own = np.concatenate([labels["floor"], labels[c]])
            added.append(float((classify(both, own, test) == truth).mean()))
        result["accuracy"][name] = alone
        result["gain"][name] = [a - alone[1] for a in added]
    recovered = {c: linear(x["members"], labels["members"], x[c]) == labels[c] for c in CANDIDATES}
    result["recovered"][""] = [float(recovered[c].mean()) for c in CANDIDATES]
    for k in range(LABELS):
        result["recovered"]["ABC"[k]] = [float(recovered[c][labels[c] == k].mean()) for c in CANDIDATES]

    def known(name, phenotype):
        keep = ~np.isnan(y[name][phenotype])
        return x[name][keep], y[name][phenotype][keep]

    real_x, real_y = known("members", "height")
    result["request_r"], result["pheno_r"], result["pheno_r2"] = [], [], []
    test_x, test_y = known("holdout", "height")
    for c in CANDIDATES:
        own_x, own_y = known(c, "height")
        result["request_r"].append(float(scipy.stats.pearsonr(scores(real_x, real_y, own_x), own_y)[0]))
        predicted = scores(own_x, own_y, test_x)
        result["pheno_r"].append(float(scipy.stats.pearsonr(predicted, test_y)[0]))
        result["pheno_r2"].append(float(r2_score(test_y, predicted)))

    result["request_recovered"], result["pheno_auc"] = {}, {}
    for name in ("case", "type"):
        hot = {c: np.eye(3 if name == "type" else 2)[y[c][name].astype(int)] for c in y}
        result["request_recovered"][name] = [
            float((scores(x["members"], hot["members"], x[c]).argmax(axis=1) == y[c][name]).mean()) for c in CANDIDATES]
        predicted = [scores(x[c], hot[c], test) for c in CANDIDATES]
        truth = y["holdout"][name]
        result["pheno_auc"][name] = [
            float(roc_auc_score(truth, p, multi_class="ovr") if name == "type" else roc_auc_score(truth, p[:, 1]))
            for p in predicted]

    result["gwas"] = {}
    for name in ("height", "case"):
        real = regress(x["members"], y["members"][name], labels["members"])
        result["gwas"][name] = [associations(real, regress(x[c], y[c][name], labels[c])) for c in CANDIDATES]
    result["plink"] = plink(x["members"], y["members"]["height"], None)
    result["plink_labels"] = plink(x["members"], y["members"]["height"], labels["members"])

    result["student"] = [[t, f, float(-(scipy.stats.t.logsf(t, f) + np.log(2)) / np.log(10))]
                         for t in (0.001, 0.5, 2.0, 7.0, 30.0) for f in (1.0, 4.0, 77.0, 1248.0)]
    centred = x["members"] - x["members"].mean(axis=0)
    u, d, _ = np.linalg.svd(centred, full_matrices=False)
    result["components"] = np.abs(u[:, :3] * d[:3] / d[0] * np.sqrt(SAMPLES)).tolist()
    return result
