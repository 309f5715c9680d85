"""The peers by their names."""

from __future__ import annotations

from archwise.bench.peers.botorch_process import BotorchProcess
from archwise.bench.peers.optuna_sampler import OptunaSampler
from archwise.bench.peers.peer import Maker
from archwise.bench.peers.plain_gp import PlainGaussianProcess
from archwise.bench.peers.smac_forest import SmacForest
from archwise.bench.peers.syne_tune_searcher import SyneTuneSearcher

PEERS = {
    "optuna-tpe": Maker("optuna", "optuna", lambda decisions, seed, _: OptunaSampler("tpe", decisions, seed)),
    "optuna-gp": Maker("optuna", "optuna", lambda decisions, seed, _: OptunaSampler("gp", decisions, seed)),
    "optuna-random": Maker("optuna", "optuna", lambda decisions, seed, _: OptunaSampler("random", decisions, seed)),
    "plain-gp": Maker("archwise", "archwise", lambda decisions, seed, _: PlainGaussianProcess(decisions, seed)),
    "smac": Maker("smac", "smac", SmacForest),
    "botorch": Maker("botorch", "botorch", lambda decisions, seed, _: BotorchProcess(decisions, seed)),
    "syne-tune-cqr": Maker("syne-tune", "syne_tune", lambda decisions, seed, _: SyneTuneSearcher(decisions, seed)),
}
"""Name -> how to make one."""
