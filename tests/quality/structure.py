"""Principal components by scikit-learn, optimal transport by SciPy, on cohorts as in core/quality/structure_test.cc."""
import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist
from scipy.stats import wasserstein_distance
from sklearn.decomposition import PCA

import cohorts

COMPONENTS = 10


def signed(scores):
    """Signs as svd_flip of scikit-learn 1.2 set them: by the scores, and no longer by the loadings."""
    largest = scores[np.abs(scores).argmax(axis=0), np.arange(scores.shape[1])]
    return scores * np.sign(largest)


def assigned(a, b, metric):
    costs = cdist(a, b, metric)
    return costs[linear_sum_assignment(costs)]


def own(rows):
    pca = PCA(n_components=COMPONENTS, svd_solver="full").fit(rows)
    return pca, signed(pca.transform(rows))


def alignment(real, other):
    weights = real.explained_variance_ / real.explained_variance_.sum()
    cosines = weights[:, None] * np.abs(real.components_ @ other.components_.T)
    return float(cosines[linear_sum_assignment(cosines, maximize=True)].sum())


def compare(pca, candidate, holdout):
    x, y = pca.transform(candidate), pca.transform(holdout)
    lines = [wasserstein_distance(x[:, k], y[:, k]) / y[:, k].std() for k in range(COMPONENTS)]
    unit = np.sqrt(y[:, :2].var(axis=0).mean())
    (own_x, own_x_scores), (own_y, own_y_scores) = own(candidate), own(holdout)
    return {
        "w1": float(np.mean(lines)),
        "lines": [float(w) for w in lines],
        "w2": float(np.sqrt(assigned(x[:, :2], y[:, :2], "sqeuclidean").mean()) / unit),
        "w_row": float(assigned(x[:, :2], y[:, :2], "euclidean").mean()),
        "paper": float(assigned(own_x_scores[:, :2], own_y_scores[:, :2], "euclidean").sum()),
        "alignment": alignment(own_y, own_x),
    }


def expected():
    result = {}
    for name, make in (("diploid", cohorts.diploid), ("haplotypes", cohorts.haplotypes)):
        training, holdout, synthetic = make(101, 90, 70), make(102, 60, 70), make(103, 60, 70)
        # Another population: the labels differ in other variants.
        other = make(104, 60, 70, founders_seed=2)
        pca = PCA(n_components=COMPONENTS, svd_solver="full").fit(training)
        result[name] = {
            "variances": [float(v) for v in pca.explained_variance_],
            "total": float(training.var(axis=0, ddof=1).sum()),
            "synthetic": compare(pca, synthetic, holdout),
            "other": compare(pca, other, holdout),
        }
    # Larger than is solved exactly.
    large = PCA(n_components=COMPONENTS, svd_solver="full").fit(cohorts.haplotypes(101, 180, 400))
    scores = signed(large.transform(cohorts.haplotypes(101, 180, 400)))
    result["large"] = {
        "variances": [float(v) for v in large.explained_variance_],
        "first_scores": [float(s) for s in scores[:20, 0]],
    }
    return result
