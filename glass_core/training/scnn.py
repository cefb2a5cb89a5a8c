"""The four training stages of SCNN, and the plain classifier it is compared with."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray

from glass_core.errors import GlassError, require_package
from glass_core.metrics import auc_roc
from glass_core.models.base import ModelCard
from glass_core.models.classifier import Classifier
from glass_core.models.domain import Domain
from glass_core.models.networks import Activation
from glass_core.models.scnn import SCNN
from glass_core.settings import Count, NotNegative, Range, Rate, Share, Whole, checked
from glass_core.training import network
from glass_core.training.config import TrainingConfig
from glass_core.training.rows import Rows, standardisation
from glass_core.training.scnn_loss import CLASS_OF, INITIAL_CLASSIFIER, LossWeights, embedding_loss, sparsity

if TYPE_CHECKING:
    import torch

Array = NDArray[np.float32]

SAME_ENVIRONMENT = 0.9
"""Atoms whose standardised descriptors or embeddings have this cosine similarity or more are one environment."""


@dataclass(frozen=True)
class SCNNSettings:
    """Settings of SCNN. The paper prints none of these numbers.

    Attributes:
        hidden: width of the hidden layer of the embedding.
        embedding: width of Z.
        activation: after both layers of the embedding, "relu" or "silu".
        dropout: probability of dropping a hidden unit while training.
        input_dropout: probability of dropping a descriptor while training.
        cluster, separation, orthogonality, class_separation: λ1 … λ4.
        sparsity: λ5.
        separation_rule: "min" as printed, or "max" as in ProtoPNet.
        replacement_rule: how stage 3 matches atoms: "product" ⟨Z, S⟩ as printed, or "cosine", which scores
            atoms as D does. With "product" the longest embeddings win, and the constraints of a class
            collapse onto one direction. With "cosine" they are unit vectors, the scale of the orthogonality term.
        learning_rate: of AdamW, for the embedding and the constraints.
        weight_decay: of AdamW.
        classifier_rate: learning rate of W_h.
        batch: rows per step.
        cycles: at most this many repetitions of stages 2 to 4.
        epochs: passes of stage 2 per cycle.
        classifier_steps: steps of stage 4 per cycle, full batch.
        patience: the first run stops after this many cycles without a better validation AUC.
        top: share of atoms whose barrier counts as high.
    """

    hidden: Count = 128
    embedding: Count = 32
    activation: Activation = "relu"
    dropout: Share = 0.3
    input_dropout: Share = 0.0
    cluster: NotNegative = 0.1
    separation: NotNegative = 0.05
    orthogonality: NotNegative = 0.05
    class_separation: NotNegative = 0.02
    sparsity: NotNegative = 0.001
    separation_rule: Literal["min", "max"] = "min"
    replacement_rule: Literal["product", "cosine"] = "cosine"
    learning_rate: Rate = 1e-3
    weight_decay: NotNegative = 1e-2
    classifier_rate: Rate = 1e-2
    batch: Count = 256
    cycles: Count = 12
    epochs: Count = 4
    classifier_steps: Whole = 60
    patience: Count = 4
    top: Annotated[float, Range(above=0, below=1)] = 0.20

    def weights(self) -> LossWeights:
        """λ1 … λ4."""
        return LossWeights(self.cluster, self.separation, self.orthogonality, self.class_separation)


@dataclass(frozen=True, eq=False)
class Classes:
    """Rows with the class of their barrier, standardised.

    Attributes:
        x: features.
        high: whether the barrier is among the highest.
        rows: the table they come from.
    """

    x: Array
    high: NDArray[np.bool_]
    rows: Rows = field(repr=False)

    def balanced(self, rng: np.random.Generator) -> NDArray[np.int64]:
        """Indices of all high rows and as many low ones, drawn anew."""
        high, low = np.flatnonzero(self.high), np.flatnonzero(~self.high)
        fewest = min(len(high), len(low))
        if fewest < 2:
            raise GlassError(f"training needs barriers of both classes, got {len(high)} high and {len(low)} low")
        return np.sort(np.concatenate([rng.choice(part, size=fewest, replace=False) for part in (high, low)]))


@dataclass(frozen=True, eq=False)
class Problem:
    """Classification of the barriers of a table.

    Attributes:
        threshold: eV; barriers at or above it are high.
        mean, std: standardisation.
    """

    threshold: float
    mean: Array
    std: Array

    @classmethod
    def of(cls, rows: Rows, top: float) -> Problem:
        """From all rows."""
        return cls(float(np.quantile(rows.labels_n, 1 - top)), *standardisation(rows.features_nf))

    def classes(self, rows: Rows) -> Classes:
        """Some rows as classes."""
        x = ((rows.features_nf - self.mean) / self.std).astype(np.float32)
        return Classes(x, rows.labels_n >= self.threshold, rows)

    def split(self, rows: Rows, seed: int) -> tuple[Classes, Classes]:
        """Training and validation rows: one group validates, which one rotates with the seed."""
        if len(rows.groups) < 2:
            raise GlassError(f"training needs at least 2 groups of configurations, got {len(rows.groups)}")
        held = rows.groups[seed % len(rows.groups)]
        return self.classes(rows.without(held)), self.classes(rows.select([held]))


def train_scnn(descriptor: Any, rows: Rows, config: TrainingConfig, seed: int) -> SCNN:
    """SCNN by its four stages, stages 2 to 4 repeated.

    1. Constraints S random, W_h as printed. 2. Everything but W_h trained on the full loss.
    3. Each constraint replaced by the embedding of the training atom of its class that it matches best.
    4. Only W_h trained. A model is only ever taken after stage 4, so its constraints are embeddings of
    real atoms, which the card names. A first run with one group held out finds how many cycles give the
    best AUC there; the second runs that many cycles on all rows.
    """
    require_package("torch", "train")
    settings: SCNNSettings = checked(SCNNSettings, config.settings, "settings of scnn")
    rows = rows.measured()
    problem = Problem.of(rows, settings.top)
    train, valid = problem.split(rows, seed)
    cycles = _best_cycles(_Stages(problem, train, settings, seed), valid, descriptor)
    final = _Stages(problem, problem.classes(rows), settings, seed)
    for _ in range(cycles):
        final.cycle()
    domain = Domain.fit(final.data.x, quantile=config.domain_quantile)
    return replace(final.model(descriptor), domain=domain)


def _best_cycles(stages: _Stages, valid: Classes, descriptor: Any) -> int:
    best_auc, best = -1.0, 0
    for cycle in range(1, stages.settings.cycles + 1):
        stages.cycle()
        auc = auc_roc(stages.model(descriptor).head(valid.x)["logit"], valid.high)
        if auc > best_auc:
            best_auc, best = auc, cycle
        if cycle - best >= stages.settings.patience:
            break
    if best == 0:
        raise GlassError(f"training diverged; lower learning_rate {stages.settings.learning_rate}")
    return best


class _Stages:
    """The state that the stages pass on."""

    def __init__(self, problem: Problem, data: Classes, settings: SCNNSettings, seed: int) -> None:
        import torch
        from torch import nn

        network.seed_torch((seed, 2))
        self.problem, self.data, self.settings = problem, data, settings
        activation = {"relu": nn.ReLU, "silu": nn.SiLU}[settings.activation]
        self.net = nn.Sequential(
            nn.Dropout(settings.input_dropout),
            nn.Linear(data.x.shape[1], settings.hidden), activation(), nn.Dropout(settings.dropout),
            nn.Linear(settings.hidden, settings.embedding), activation(),
        )  # fmt: skip
        self.constraints = nn.Parameter(torch.rand(len(CLASS_OF), settings.embedding))
        self.classifier = nn.Parameter(torch.tensor(INITIAL_CLASSIFIER))
        self.atoms: list[dict[str, Any]] = []
        self.x, self.high = torch.from_numpy(data.x), torch.from_numpy(data.high.astype(np.int64))
        self.rng = np.random.default_rng([seed, 1])
        groups = [
            {"params": self.net.parameters(), "weight_decay": settings.weight_decay},
            {"params": [self.constraints], "weight_decay": 0.0},
        ]
        self.optimizer = torch.optim.AdamW(groups, lr=settings.learning_rate)

    def cycle(self) -> None:
        """Stages 2 to 4."""
        self.train_embedding()
        self.replace_constraints()
        self.train_classifier()

    def train_embedding(self) -> None:
        """Stage 2, every pass over a fresh balanced sample."""
        import torch

        self.net.train()
        for _ in range(self.settings.epochs):
            chosen = torch.from_numpy(self.rng.permutation(self.data.balanced(self.rng)))
            for rows in chosen.split(self.settings.batch):
                self.optimizer.zero_grad()
                loss = embedding_loss(
                    self.net(self.x[rows]), self.constraints, self.classifier.detach(), self.high[rows],
                    self.settings.weights(), self.settings.separation_rule,
                )  # fmt: skip
                loss.backward()
                self.optimizer.step()

    def embeddings(self, rows: torch.Tensor) -> torch.Tensor:
        """Z of some rows."""
        import torch

        self.net.eval()
        with torch.no_grad():
            z: torch.Tensor = self.net(self.x[rows])
        return z

    def replace_constraints(self) -> None:
        """Stage 3; no two constraints become the same environment, not even of a glass that was labelled twice."""
        import torch

        rows = torch.from_numpy(self.data.balanced(self.rng))
        z, high = self.embeddings(rows), self.high[rows]
        by_angle = self.settings.replacement_rule == "cosine"
        candidates = torch.nn.functional.normalize(z, dim=1) if by_angle else z
        spaces = [torch.nn.functional.normalize(table, dim=1) for table in (self.x[rows], z)]
        alike = torch.zeros(len(rows))
        taken: list[int] = []
        with torch.no_grad():
            for v, of_class in enumerate(CLASS_OF):
                mine = torch.nonzero(high == of_class)[:, 0]
                different = mine[alike[mine] < SAME_ENVIRONMENT]
                choice = different if len(different) else mine
                taken.append(int(choice[(candidates[choice] @ self.constraints[v]).argmax()]))
                alike = torch.stack([alike, *(units @ units[taken[-1]] for units in spaces)]).amax(dim=0)
                self.constraints[v] = candidates[taken[-1]]
        self.atoms = [self._atom(v, int(rows[index])) for v, index in enumerate(taken)]

    def _atom(self, v: int, row: int) -> dict[str, Any]:
        table = self.data.rows
        name = table.names[table.configuration_n[row]]
        barrier = round(float(table.labels_n[row]), 4)
        return {"constraint": v, "configuration": name, "atom": int(table.atom_n[row]), "barrier": barrier}

    def train_classifier(self) -> None:
        """Stage 4, full batches of one balanced sample."""
        import torch
        from torch import nn

        rows = torch.from_numpy(self.data.balanced(self.rng))
        z, high = self.embeddings(rows), self.high[rows]
        similarity = nn.functional.cosine_similarity(z[:, None], self.constraints.detach()[None], dim=2)
        optimizer = torch.optim.Adam([self.classifier], lr=self.settings.classifier_rate)
        for _ in range(self.settings.classifier_steps):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(similarity @ self.classifier.T, high)
            (loss + self.settings.sparsity * sparsity(self.classifier)).backward()
            optimizer.step()

    def model(self, descriptor: Any) -> SCNN:
        """The model as it stands."""
        content = {"constraints": self.atoms, "threshold_ev": self.problem.threshold}
        return SCNN(
            descriptor, self.problem.mean, self.problem.std, None, ModelCard("scnn", content=content),
            embedding=network.weights_of(self.net),
            constraints_vz=self.constraints.detach().numpy().copy(),
            classifier_cv=self.classifier.detach().numpy().copy(),
            activation=self.settings.activation,
        )  # fmt: skip


@dataclass(frozen=True)
class ClassifierSettings(network.NetworkSettings):
    """Settings of the plain classifier: those of its network, and the share of high barriers."""

    hidden: tuple[Count, ...] = (128,)
    activation: Activation = "relu"
    top: Annotated[float, Range(above=0, below=1)] = 0.20


def train_classifier(descriptor: Any, rows: Rows, config: TrainingConfig, seed: int) -> Classifier:
    """The network of one hidden layer on balanced rows; the number of passes chosen as for SCNN."""
    require_package("torch", "train")
    from torch import nn

    settings: ClassifierSettings = checked(ClassifierSettings, config.settings, "settings of the classifier")
    rows = rows.measured()
    problem = Problem.of(rows, settings.top)
    loss = nn.functional.binary_cross_entropy_with_logits

    def run(data: Classes, valid: Classes | None, epochs: int) -> tuple[Any, int]:
        rng = np.random.default_rng([seed, 1])
        network.seed_torch((seed, 3))
        net = network.build(data.x.shape[1], 1, settings)
        used = network.fit(
            net, loss, (data.x, data.high.astype(np.float32)), lambda: data.balanced(rng),
            replace(settings, epochs=epochs),
            None if valid is None else (valid.x, lambda p: auc_roc(p, valid.high)),
        )  # fmt: skip
        return net, used

    _, epochs = run(*problem.split(rows, seed), settings.epochs)
    everything = problem.classes(rows)
    net, _ = run(everything, None, epochs)
    domain = Domain.fit(everything.x, quantile=config.domain_quantile)
    card = ModelCard("classifier", content={"threshold_ev": problem.threshold})
    return Classifier(descriptor, problem.mean, problem.std, domain, card, network.weights_of(net), settings.activation)
