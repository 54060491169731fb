from __future__ import annotations

from django.db import migrations


class Migration(migrations.Migration):
    """Store packed outlines as they are: floats hardly compress, and pglz made writing three to eight times slower."""

    dependencies = [("projects", "0001_initial")]
    operations = [
        migrations.RunSQL(
            sql="ALTER TABLE projects_segmentation ALTER COLUMN points SET STORAGE EXTERNAL",
            reverse_sql="ALTER TABLE projects_segmentation ALTER COLUMN points SET STORAGE EXTENDED",
        )
    ]
