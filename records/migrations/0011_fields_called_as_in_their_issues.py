from django.db import migrations, models


class Migration(migrations.Migration):
    """Tax ID and e-mail are spelled as the checks spell them."""

    dependencies = [
        ('records', '0010_issues_in_the_lists_order'),
    ]

    operations = [
        migrations.AlterField(
            model_name='yourmodel',
            name='email',
            field=models.CharField(blank=True, max_length=300, verbose_name='e-mail'),
        ),
        migrations.AlterField(
            model_name='yourmodel',
            name='tax_id',
            field=models.CharField(blank=True, help_text='VAT or registration number, as known.', max_length=100, verbose_name='tax ID'),
        ),
    ]
