
set edit:completion:arg-completer[ocache] = { |@words|
    var index = (count $words)
    set index = (- $index 1)

    put (env _CLAP_IFS="\n" _CLAP_COMPLETE_INDEX=(to-string $index) OCACHE_COMPLETE="elvish" ocache -- $@words) | to-lines
}

