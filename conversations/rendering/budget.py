"""How much work a text may ask for: a clock that its reader looks at now and then."""

import time
from dataclasses import dataclass, field


class OverBudgetError(Exception):
    """The text asks for more work than an answer may cost."""


@dataclass(frozen=True, slots=True)
class Budget:
    """Processor time, not time on the clock: a busy neighbour must not turn an answer into plain text."""

    seconds: float
    began: float = field(default_factory=time.thread_time)

    def spent(self) -> float:
        """The share that is used up; 1 and more means over."""
        return (time.thread_time() - self.began) / self.seconds

    def check(self) -> None:
        """Raise OverBudgetError when nothing is left."""
        if self.spent() >= 1:
            raise OverBudgetError
