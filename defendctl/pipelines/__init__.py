"""The files by which a forge runs this tool, made of templates: what `init --ci` writes. Pure.

wanted    what is wished for, and what became of each file
template  text with places, filled in
actions   the workflows of GitHub
jobs      the jobs of GitLab
mark      the first line, by which a file is known again
"""
