"""Crossfade moves a Windows Virtual Desktop (classic) estate to Azure Virtual Desktop while its users keep working."""

__version__ = "0.1.0"
