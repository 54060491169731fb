from django.db import migrations, models

from projects.outlines import columns, unpack


def count_again(apps, schema_editor):
    """Objects of several parts were counted by their parts, and overlaps not at all."""
    segmentations = apps.get_model("projects", "Segmentation").objects
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("ALTER TABLE projects_segmentation DISABLE TRIGGER USER")
        for segmentation in segmentations.iterator(chunk_size=50):
            try:
                counted = columns(unpack(segmentation))
            except (ValueError, IndexError):  # damaged: an export says so
                continue
            segmentations.filter(pk=segmentation.pk).update(
                multipart_count=counted["multipart_count"], overlap_count=counted["overlap_count"]
            )
        cursor.execute("ALTER TABLE projects_segmentation ENABLE TRIGGER USER")


class Migration(migrations.Migration):

    dependencies = [
        ('projects', '0003_removed_projects'),
    ]

    operations = [
        migrations.RenameField(
            model_name='segmentation',
            old_name='part_count',
            new_name='multipart_count',
        ),
        migrations.AddField(
            model_name='segmentation',
            name='overlap_count',
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.RunPython(count_again, migrations.RunPython.noop),
    ]
