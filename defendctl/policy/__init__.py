"""What a team demands of its guardrails: rules → findings. Pure: no clock, no file, no network.

rules      values: Rule, Selector, Policy            waivers    which one lets a finding pass, and its text
manifests  rules that hold for what is declared      changes    rules that hold for a plan
judge      one rule, one place → a Finding
"""
