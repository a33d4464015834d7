"""A local twin of Windows Virtual Desktop (classic), Azure Virtual Desktop and their neighbours.

One process, one origin, the real wire protocols: Entra tokens, the classic management API, Azure Resource Manager
(desktop virtualization, authorization, resources, compute) and Graph. Behind them one `World` that holds the whole
state as data, moves it along by due events, and can be written to a file and read back at any moment.

It imports nothing of crossfade, so that it cannot share its misunderstandings.
"""
