from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

# Work goes on meanwhile. A table of millions takes longer than a page may.
PATIENCE = "SET statement_timeout = 0; SET lock_timeout = 0"
AS_BEFORE = "RESET statement_timeout; RESET lock_timeout"


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("exports", "0006_lists_of_administrators")]

    operations = [
        migrations.RunSQL(PATIENCE, AS_BEFORE),
        AddIndexConcurrently(
            "exportjob",
            models.Index(
                name="export_published",
                fields=["completed_at", "file_size"],
                condition=models.Q(status="completed"),
            ),
        ),
        migrations.RunSQL(AS_BEFORE, PATIENCE),
        migrations.CreateModel(
            name="Rollup",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("up_to", models.BigIntegerField(default=0)),
                ("swept_at", models.DateTimeField(null=True)),
                ("orphans_removed", models.PositiveBigIntegerField(default=0)),
                ("orphan_bytes", models.PositiveBigIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name="Tally",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("from_status", models.CharField(blank=True, max_length=10)),
                ("to_status", models.CharField(max_length=10)),
                ("reason", models.CharField(max_length=40)),
                ("bucket", models.SmallIntegerField()),
                ("count", models.PositiveBigIntegerField()),
                ("seconds", models.FloatField()),
            ],
            options={
                "verbose_name_plural": "tallies",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("from_status", "to_status", "reason", "bucket"), name="tally_once"
                    )
                ],
            },
        ),
    ]
