# A bar of what pip has collected, or processed where it lies: pip install ... | awk -v total=COUNT -f scripts/bar.awk
# One line on a terminal; what is not about collecting is left out, errors come by standard error.
/^(Collecting|Processing) / {
    done++
    if (done > total) total = done
    width = 30
    full = int(width * done / total)
    bar = ""
    for (k = 1; k <= width; k++) bar = bar (k <= full ? "#" : ".")
    printf "\r  [%s] %d of %d packages", bar, done, total
    fflush()
}
/^Installing / { printf "\n  installing them\n"; fflush() }
