"""The verbs of Atrous, for the window, the command line and any Python program; no Qt, and torch only when needed.

What takes long is a job: `run(job)` runs it here and returns its result.

    from app.services import Models, open_project, pre_annotate, run
    project = open_project(Path("P"))
    run(pre_annotate(project, [], Models(project).resolve()))
    project.close()
"""

from __future__ import annotations

from app.jobs.job import Job, Progress, run
from app.services.checking import check
from app.services.demo import demo
from app.services.doctor import examine
from app.services.editing import load
from app.services.errors import NothingLearnt, Refusal
from app.services.evaluation import Scores, evaluate
from app.services.exchange import Imported, export, import_masks
from app.services.information import info, model_row
from app.services.learning import LearningFailed, TrainResult, fit
from app.services.manner import Manner
from app.services.model import Model
from app.services.models import Models
from app.services.network import Network
from app.services.opening import class_names, create_project, open_project, open_sample
from app.services.prediction import PreAnnotated, pre_annotate
from app.services.reviewing import Reviewed, review, review_all, skip, unreview, unskip
from app.services.runs import TrainRequest
from app.services.segmenting import Segmented, segment
from app.services.weights import Written, adopt, export_version, import_weights

__all__ = [
    "Imported",
    "Job",
    "LearningFailed",
    "Manner",
    "Model",
    "Models",
    "Network",
    "NothingLearnt",
    "PreAnnotated",
    "Progress",
    "Refusal",
    "Reviewed",
    "Scores",
    "Segmented",
    "TrainRequest",
    "TrainResult",
    "Written",
    "adopt",
    "check",
    "class_names",
    "create_project",
    "demo",
    "evaluate",
    "examine",
    "export",
    "export_version",
    "fit",
    "import_masks",
    "import_weights",
    "info",
    "load",
    "model_row",
    "open_project",
    "open_sample",
    "pre_annotate",
    "review",
    "review_all",
    "run",
    "segment",
    "skip",
    "unreview",
    "unskip",
]
