"""What a run goes by, from the intent."""

import msgspec

from crossfade.plan.intent import Intent
from crossfade.plan.plan import Settings


def run_settings(intent: Intent) -> Settings:
    waves, sessions, installers = intent.waves, intent.sessions, intent.installers
    return Settings(
        headroom=waves.headroom,
        parallel_moves=waves.parallel_moves,
        grace_s=sessions.grace_minutes * 60,
        drain_timeout_s=sessions.drain_timeout_hours * 3600,
        disconnected=sessions.disconnected,
        active=sessions.active,
        message_title=sessions.message_title,
        message_body=sessions.message_body,
        soak_s=waves.soak_minutes * 60,
        last_wave_due_s=waves.last_wave_due_hours * 3600,
        failure_budget=waves.failure_budget,
        run_failure_budget=waves.run_failure_budget,
        owner=waves.owner,
        installers={name: str(value) for name, value in msgspec.to_builtins(installers).items()},
        repoint=waves.repoint,
        canary_return=waves.canary_return,
        people_gate=waves.people_gate,
        completion_wait_s=waves.completion_wait_days * 86_400,
        reminder_s=intent.notices.reminder_hours * 3600,
        reminders=intent.notices.reminders,
        hooks={name: path for name, path in intent.hooks.paths().items() if path},
        hook_deadline_s=intent.hooks.deadline_seconds,
        contact=intent.notices.contact,
        feed_address=intent.notices.feed_address,
        web_address=intent.notices.web_address,
        quiet_hours={
            "from": sessions.quiet_from,
            "to": sessions.quiet_to,
            "utc_offset_hours": sessions.quiet_utc_offset_hours,
        },
    )
