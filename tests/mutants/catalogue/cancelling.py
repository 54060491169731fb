"""G1 to G6: a cancel is final, for everybody, once it was answered."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

MOVES = "tests/exports/test_lifecycle.py"
RACES = "tests/races/test_export_races.py"
RULES = "tests/exports/test_rules.py"
MORE = "tests/races/test_more_promises.py"
CURSOR = "tests/exports/test_cursor.py"
LETTERS = "tests/races/test_mail_races.py"

CANCELLING = (
    Mutant(
        guarantee="G1",
        what="the end of all moves at cancelled",
        file="exports/states.py",
        old="Status.CANCELLED: (),",
        new="Status.CANCELLED: (Status.PROCESSING,),",
        tests=(f"{MOVES}::test_every_other_move_is_refused_and_changes_nothing[cancelled-claim]",),
    ),
    Mutant(
        guarantee="G1",
        what="the database's refusal of illegal moves",
        file="exports/migrations/0003_audit_row_alone.py",
        old="IF NEW.status <> OLD.status AND NOT (",
        new="IF FALSE AND NOT (",
        tests=(
            f"{RULES}::test_an_illegal_move_is_refused[cancelled-completed]",
            "tests/incidents/test_1_backend_race.py::test_not_even_sql_makes_a_cancelled_export_completed",
        ),
    ),
    Mutant(
        guarantee="G1",
        what="the end of exports that may have been cancelled since a backup",
        file="exports/management/commands/settle_restored.py",
        old="_each(active, _cancel)",
        new="len(active)",
        tests=(
            "tests/test_operations.py::"
            "test_what_was_cancelled_after_the_backup_stays_ended_when_it_is_restored",
        ),
    ),
    Mutant(
        guarantee="G2",
        what="the look at the row before an announcement is passed on",
        file="exports/cursor.py",
        old="return _MEANING[type(event)] == job.status",
        new="return True",
        tests=(
            f"{CURSOR}::test_of_a_cancelled_job_nothing_else_is_told",
            "tests/incidents/test_2_cancellation.py::test_no_completion_is_announced_after_a_cancel[cancel]",
        ),
    ),
    Mutant(
        guarantee="G2",
        what="the silence on progress of a cancelled export",
        file="exports/cursor.py",
        old="return job.status != Status.CANCELLED",
        new="return True",
        tests=(
            f"{CURSOR}::test_of_a_cancelled_job_nothing_else_is_told",
            "tests/incidents/test_2_cancellation.py::test_no_progress_is_announced_after_a_cancel",
        ),
    ),
    Mutant(
        guarantee="G2",
        what="the memory that a cancel was told",
        file="exports/cursor.py",
        old="or not is_clear or is_said_twice:",
        new="or not is_clear:",
        tests=(f"{CURSOR}::test_a_cancel_is_told_once",),
    ),
    Mutant(
        guarantee="G2",
        what="the wait of a cancel for a letter on its way",
        file="exports/lifecycle.py",
        old="        handover.wait_for_none(job_id)",
        new="        pass",
        tests=(f"{LETTERS}::test_a_cancel_is_answered_when_the_letter_was_handed_over[once]",),
    ),
    Mutant(
        guarantee="G2",
        what="that wait when a cancel is repeated",
        file="exports/lifecycle.py",
        old="        was_active = job.is_active",
        new="        was_active = job.is_active or job.status == Status.CANCELLED",
        tests=(f"{LETTERS}::test_a_cancel_is_answered_when_the_letter_was_handed_over[twice]",),
    ),
    Mutant(
        guarantee="G2",
        what="the lock of who hands a letter over",
        file="exports/handover.py",
        old="""cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_key(job_id)])""",
        new="pass",
        tests=(f"{LETTERS}::test_a_cancel_is_no_answer_while_the_mail_server_thinks",),
    ),
    Mutant(
        guarantee="G2",
        what="the second look at the row before a letter",
        file="exports/mail.py",
        old="untold = letters.still_untold(job.pk)",
        new="untold = job",
        tests=(f"{LETTERS}::test_a_cancel_between_the_list_and_the_letter_is_seen",),
    ),
    Mutant(
        guarantee="G3",
        what="the check of the status under the lock",
        file="exports/grants.py",
        old="""by, "download") as (job, now):
        refusals.refuse_download(job)
""",
        new="""by, "download") as (job, now):
""",
        tests=(
            "tests/incidents/test_2_cancellation.py::test_a_cancel_between_check_and_stream_wins",
            "tests/exports/test_downloads.py::test_a_refused_download_says_why[cancelled-export_cancelled]",
        ),
    ),
    Mutant(
        guarantee="G3",
        what="the lock while the file is opened",
        file="exports/downloads.py",
        old="""            with grants.download(job_id, lifecycle.actor(request.auth)) as grant:
                file = opened.enter_context(_open(grant.job))
""",
        new="""            file = opened.enter_context(_open(ExportJob.objects.get(pk=job_id)))
            with grants.download(job_id, lifecycle.actor(request.auth)) as grant:
""",
        tests=(f"{RACES}::test_a_cancel_that_comes_while_the_file_is_opened_comes_too_late",),
    ),
    Mutant(
        guarantee="G3",
        what="the database's hold that only a completed export names a file",
        file="exports/migrations/0001_initial.py",
        old="('expires_at__isnull', True), ('file_name__isnull', True), ('file_size__isnull', True), "
        "('sha256__isnull', True)), _connector='OR'), name='export_file_iff_completed'",
        new="('id__isnull', False)), _connector='OR'), name='export_file_iff_completed'",
        tests=(f"{RULES}::test_a_cancelled_export_cannot_be_given_a_file",),
    ),
    Mutant(
        guarantee="G4",
        what="waiting for the disk at each commit",
        file="config/settings.py",
        old='"synchronous_commit": "on"',
        new='"synchronous_commit": "off"',
        tests=("tests/faults/test_database_faults.py::test_an_acked_cancel_survives_a_power_cut",),
    ),
    Mutant(
        guarantee="G4",
        what="a commit of its own for each move",
        file="exports/rows.py",
        old="transaction.atomic(durable=True)",
        new="transaction.atomic()",
        tests=(f"{MORE}::test_nothing_is_answered_inside_a_transaction_that_may_fail[cancel]",),
    ),
    Mutant(
        guarantee="G4",
        what="a commit of its own for each request",
        file="exports/lifecycle.py",
        old="transaction.atomic(durable=True)",
        new="transaction.atomic()",
        tests=(f"{MORE}::test_nothing_is_answered_inside_a_transaction_that_may_fail[request]",),
    ),
    Mutant(
        guarantee="G5",
        what="the refusal to change or delete audit rows",
        file="exports/migrations/0001_initial.py",
        old="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
        new="RETURN NEW;",
        tests=(f"{RULES}::test_the_audit_cannot_be_changed_or_deleted",),
    ),
    Mutant(
        guarantee="G5",
        what="the refusal of a move that is not in the audit",
        file="exports/migrations/0001_initial.py",
        old="IF (SELECT to_status FROM exports_transition",
        new="IF FALSE AND (SELECT to_status FROM exports_transition",
        tests=(f"{RULES}::test_a_legal_move_without_its_audit_row_is_refused",),
    ),
    Mutant(
        guarantee="G5",
        what="the refusal of a gap in the audit",
        file="exports/migrations/0001_initial.py",
        old="IF NEW.sequence <> 1 + COALESCE(",
        new="IF FALSE AND NEW.sequence <> 1 + COALESCE(",
        tests=(f"{RULES}::test_an_audit_row_that_leaves_a_gap_is_refused",),
    ),
    Mutant(
        guarantee="G5",
        what="the record of what was refused",
        file="exports/rows.py",
        old='note(job, f"{question}_refused", by, now, code=refusal.code)',
        new="pass",
        tests=(f"{MOVES}::test_a_refusal_is_kept_in_the_audit",),
    ),
    Mutant(
        guarantee="G6",
        what="the row's lock",
        file="exports/rows.py",
        old=".select_for_update(no_key=True)",
        new="",
        tests=(f"{RACES}::test_many_cancels_make_one_move_and_give_one_answer",),
    ),
    Mutant(
        guarantee="G6",
        what="the same answer to a cancel that is repeated",
        file="exports/lifecycle.py",
        old="if job.status != Status.CANCELLED:",
        new="if True:",
        tests=(f"{MOVES}::test_a_repeated_cancel_gives_the_same_answer_and_writes_nothing",),
    ),
)
