"""Write src/vocemo/lab/recipes/sheets.json: run it after a recipe or an architecture has changed."""

from pathlib import Path

from vocemo.lab import sheet

if __name__ == "__main__":
    target = Path(sheet.__file__).parent / "recipes" / "sheets.json"
    target.write_text(sheet.write_all(), encoding="utf-8")
    print(f"wrote {target}")
