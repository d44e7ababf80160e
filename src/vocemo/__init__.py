"""vocemo: speech emotion recognition that people can train, trust and ship."""
