"""The script that runs inside a VM, as a file of the package."""
