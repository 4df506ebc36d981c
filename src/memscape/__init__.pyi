__version__: str

from memscape.memory.attention import ModernHopfield as ModernHopfield
from memscape.memory.attention import attend as attend
from memscape.memory.dense import DenseMemory as DenseMemory
from memscape.memory.dense import Exponential as Exponential
from memscape.memory.dense import Power as Power
from memscape.memory.dense import Rectified as Rectified
from memscape.memory.dynamics import asynchronous as asynchronous
from memscape.memory.dynamics import evolve as evolve
from memscape.memory.dynamics import gradient_flow as gradient_flow
from memscape.memory.dynamics import iterate as iterate
from memscape.memory.dynamics import synchronous as synchronous
from memscape.memory.energy_transformer import EnergyTransformer as EnergyTransformer
from memscape.memory.energy_transformer import random_transformer as random_transformer
from memscape.memory.hopfield import hebbian as hebbian
from memscape.memory.patterns import flip as flip
from memscape.memory.patterns import overlap as overlap
from memscape.memory.patterns import random_patterns as random_patterns
from memscape.tools.threads import threads as threads
