"""Windows PowerShell as far as a run command's script needs it: parsed with a grammar, executed on a machine's copy."""

from avdtwin.powershell.run import Run, run

__all__ = ["Run", "run"]
