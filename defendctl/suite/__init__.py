"""Tests of guardrails: cases as values, the judgement of what became of them, the budget. Pure."""
