"""``python -m renp_infer``: the same as ``renp``."""

from renp_infer.app.cli import main

if __name__ == "__main__":
    main()
