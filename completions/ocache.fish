complete --keep-order --exclusive --command ocache --arguments "(OCACHE_COMPLETE=fish ocache -- (commandline --current-process --tokenize --cut-at-cursor) (commandline --current-token))"
