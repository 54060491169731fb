"""Benchmarks: the product's pass beside what a straightforward programmer writes, and beside a bare loop.

Two busy cores measure nothing absolute: sides are run by turns, each in a process of its own, and only
ratios of medians of one run say something. docs/BENCHMARKS.md explains every column.
"""
