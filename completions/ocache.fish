# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_ocache_global_optspecs
    string join \n data-dir= backend= stack= profile= region= endpoint-url= management-endpoint= output= q/quiet v/verbose h/help V/version
end

function __fish_ocache_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_ocache_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_ocache_using_subcommand
    set -l cmd (__fish_ocache_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c ocache -n "__fish_ocache_needs_command" -l data-dir -d 'Folder of the embedded store [default: ocache/STACK in the user\'s data folder]' -r -F
complete -c ocache -n "__fish_ocache_needs_command" -l backend -d 'Which engine holds tables and queues [default: embedded]' -r -f -a "embedded\t'One file on this machine; nothing need be installed'
aws\t'DynamoDB, SQS and SNS, of an account or of a local AWS'"
complete -c ocache -n "__fish_ocache_needs_command" -l stack -d 'Prefix of all tables, queues and topics' -r
complete -c ocache -n "__fish_ocache_needs_command" -l profile -d 'AWS profile; implies --backend aws' -r
complete -c ocache -n "__fish_ocache_needs_command" -l region -d 'AWS region; implies --backend aws' -r
complete -c ocache -n "__fish_ocache_needs_command" -l endpoint-url -d 'AWS endpoint, such as that of a local AWS; implies --backend aws' -r
complete -c ocache -n "__fish_ocache_needs_command" -l management-endpoint -d 'API Gateway management endpoint that answers may be pushed to; may be given more than once' -r
complete -c ocache -n "__fish_ocache_needs_command" -l output -d 'How data is printed' -r -f -a "table\t'For people'
json\t'For programs'"
complete -c ocache -n "__fish_ocache_needs_command" -s q -l quiet -d 'Print data and errors only'
complete -c ocache -n "__fish_ocache_needs_command" -s v -l verbose -d 'Log more; twice for everything'
complete -c ocache -n "__fish_ocache_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ocache -n "__fish_ocache_needs_command" -s V -l version -d 'Print version'
complete -c ocache -n "__fish_ocache_needs_command" -f -a "up" -d 'Run the whole system in one process'
complete -c ocache -n "__fish_ocache_needs_command" -f -a "load" -d 'Load products and discounts from files'
complete -c ocache -n "__fish_ocache_needs_command" -f -a "generate" -d 'Make large data files from a seed'
complete -c ocache -n "__fish_ocache_needs_command" -f -a "subscribe" -d 'Make users active, so that their price tables are kept warm'
complete -c ocache -n "__fish_ocache_needs_command" -f -a "unsubscribe" -d 'Let users expire now'
complete -c ocache -n "__fish_ocache_needs_command" -f -a "worker" -d 'Run one role in the foreground'
complete -c ocache -n "__fish_ocache_needs_command" -f -a "serve" -d 'Run the gateway: websockets, PUT /subscribe, /health'
complete -c ocache -n "__fish_ocache_needs_command" -f -a "quote" -d 'Ask for a quotation, or for many in a session'
complete -c ocache -n "__fish_ocache_needs_command" -f -a "quotation" -d 'Show a past quotation'
complete -c ocache -n "__fish_ocache_needs_command" -f -a "prices" -d 'Show a user\'s stored price table'
complete -c ocache -n "__fish_ocache_needs_command" -f -a "status" -d 'Show active users, tables, queues and dead letters'
complete -c ocache -n "__fish_ocache_needs_command" -f -a "dead-letters" -d 'See to the messages that were given up'
complete -c ocache -n "__fish_ocache_needs_command" -f -a "backup" -d 'Copy the embedded store to a file while it is in use'
complete -c ocache -n "__fish_ocache_needs_command" -f -a "doctor" -d 'Check that everything ocache needs is there and as it should be'
complete -c ocache -n "__fish_ocache_needs_command" -f -a "provision" -d 'Make the tables, queues and topic of a stack on AWS'
complete -c ocache -n "__fish_ocache_needs_command" -f -a "destroy" -d 'Delete the tables, queues and topic of a stack on AWS, and all that is in them'
complete -c ocache -n "__fish_ocache_needs_command" -f -a "completions" -d 'Print a shell\'s completion script'
complete -c ocache -n "__fish_ocache_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c ocache -n "__fish_ocache_using_subcommand up" -l port -d 'Port of the gateway on loopback; 0 is any free one' -r
complete -c ocache -n "__fish_ocache_using_subcommand up" -l ttl -d 'How long a user stays active after a visit' -r
complete -c ocache -n "__fish_ocache_using_subcommand up" -l refresh-every -d 'The time between two scheduled calculations of an active user\'s table' -r
complete -c ocache -n "__fish_ocache_using_subcommand up" -l usable-for -d 'How long a table answers quotes when nothing refreshes it; at least three intervals' -r
complete -c ocache -n "__fish_ocache_using_subcommand up" -l quote-within -d 'How long a quotation may take before it fails' -r
complete -c ocache -n "__fish_ocache_using_subcommand up" -l refresh-slots -d 'Scheduled calculations in hand at most' -r
complete -c ocache -n "__fish_ocache_using_subcommand up" -l urgent-slots -d 'Urgent calculations in hand at most; scheduled ones never take these slots' -r
complete -c ocache -n "__fish_ocache_using_subcommand up" -l provider-slots -d 'Quotations in hand at most' -r
complete -c ocache -n "__fish_ocache_using_subcommand up" -l allow-origin -d 'Origin of web pages that may use the gateway; may be given more than once' -r
complete -c ocache -n "__fish_ocache_using_subcommand up" -l allow-host -d 'Name by which clients may call the gateway, beside localhost; may be given more than once' -r
complete -c ocache -n "__fish_ocache_using_subcommand up" -l max-sockets -d 'Open connections in all' -r
complete -c ocache -n "__fish_ocache_using_subcommand up" -l max-sockets-per-address -d 'Open websockets of one address' -r
complete -c ocache -n "__fish_ocache_using_subcommand up" -l max-frames -d 'Frames a second of one websocket' -r
complete -c ocache -n "__fish_ocache_using_subcommand up" -l max-frames-per-address -d 'Frames a second of one address' -r
complete -c ocache -n "__fish_ocache_using_subcommand up" -l max-new-users-per-address -d 'Users a minute that one address may make active' -r
complete -c ocache -n "__fish_ocache_using_subcommand up" -l max-active-users -d 'Users that may be active through the gateway at once' -r
complete -c ocache -n "__fish_ocache_using_subcommand up" -l data-dir -d 'Folder of the embedded store [default: ocache/STACK in the user\'s data folder]' -r -F
complete -c ocache -n "__fish_ocache_using_subcommand up" -l backend -d 'Which engine holds tables and queues [default: embedded]' -r -f -a "embedded\t'One file on this machine; nothing need be installed'
aws\t'DynamoDB, SQS and SNS, of an account or of a local AWS'"
complete -c ocache -n "__fish_ocache_using_subcommand up" -l stack -d 'Prefix of all tables, queues and topics' -r
complete -c ocache -n "__fish_ocache_using_subcommand up" -l profile -d 'AWS profile; implies --backend aws' -r
complete -c ocache -n "__fish_ocache_using_subcommand up" -l region -d 'AWS region; implies --backend aws' -r
complete -c ocache -n "__fish_ocache_using_subcommand up" -l endpoint-url -d 'AWS endpoint, such as that of a local AWS; implies --backend aws' -r
complete -c ocache -n "__fish_ocache_using_subcommand up" -l management-endpoint -d 'API Gateway management endpoint that answers may be pushed to; may be given more than once' -r
complete -c ocache -n "__fish_ocache_using_subcommand up" -l output -d 'How data is printed' -r -f -a "table\t'For people'
json\t'For programs'"
complete -c ocache -n "__fish_ocache_using_subcommand up" -l fresh -d 'Begin with an empty store: everything that is in it is deleted'
complete -c ocache -n "__fish_ocache_using_subcommand up" -l provision -d 'On AWS, make what is missing of the stack first'
complete -c ocache -n "__fish_ocache_using_subcommand up" -l active-from-second-visit -d 'Keep a user\'s table warm only from the second visit on'
complete -c ocache -n "__fish_ocache_using_subcommand up" -l limit-loopback -d 'Limit clients of this machine by address too'
complete -c ocache -n "__fish_ocache_using_subcommand up" -s q -l quiet -d 'Print data and errors only'
complete -c ocache -n "__fish_ocache_using_subcommand up" -s v -l verbose -d 'Log more; twice for everything'
complete -c ocache -n "__fish_ocache_using_subcommand up" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ocache -n "__fish_ocache_using_subcommand load" -l currency -d 'Currency of the prices [default: that of the stored prices, else USD]' -r
complete -c ocache -n "__fish_ocache_using_subcommand load" -l data-dir -d 'Folder of the embedded store [default: ocache/STACK in the user\'s data folder]' -r -F
complete -c ocache -n "__fish_ocache_using_subcommand load" -l backend -d 'Which engine holds tables and queues [default: embedded]' -r -f -a "embedded\t'One file on this machine; nothing need be installed'
aws\t'DynamoDB, SQS and SNS, of an account or of a local AWS'"
complete -c ocache -n "__fish_ocache_using_subcommand load" -l stack -d 'Prefix of all tables, queues and topics' -r
complete -c ocache -n "__fish_ocache_using_subcommand load" -l profile -d 'AWS profile; implies --backend aws' -r
complete -c ocache -n "__fish_ocache_using_subcommand load" -l region -d 'AWS region; implies --backend aws' -r
complete -c ocache -n "__fish_ocache_using_subcommand load" -l endpoint-url -d 'AWS endpoint, such as that of a local AWS; implies --backend aws' -r
complete -c ocache -n "__fish_ocache_using_subcommand load" -l management-endpoint -d 'API Gateway management endpoint that answers may be pushed to; may be given more than once' -r
complete -c ocache -n "__fish_ocache_using_subcommand load" -l output -d 'How data is printed' -r -f -a "table\t'For people'
json\t'For programs'"
complete -c ocache -n "__fish_ocache_using_subcommand load" -l prune -d 'Remove stored products that the files do not name; the same for users\' discounts'
complete -c ocache -n "__fish_ocache_using_subcommand load" -s q -l quiet -d 'Print data and errors only'
complete -c ocache -n "__fish_ocache_using_subcommand load" -s v -l verbose -d 'Log more; twice for everything'
complete -c ocache -n "__fish_ocache_using_subcommand load" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ocache -n "__fish_ocache_using_subcommand generate" -l seed -d 'The same seed makes the same files' -r
complete -c ocache -n "__fish_ocache_using_subcommand generate" -l products -d 'How many products' -r
complete -c ocache -n "__fish_ocache_using_subcommand generate" -l users -d 'How many users with discounts' -r
complete -c ocache -n "__fish_ocache_using_subcommand generate" -l discounts -d 'How many discounts each of them has' -r
complete -c ocache -n "__fish_ocache_using_subcommand generate" -l currency -d 'Currency of the prices' -r
complete -c ocache -n "__fish_ocache_using_subcommand generate" -l format -d 'Form of the files' -r -f -a "ndjson\t'One JSON object a line'
json\t'One JSON array'
csv\t'Comma-separated values with a header'"
complete -c ocache -n "__fish_ocache_using_subcommand generate" -l data-dir -d 'Folder of the embedded store [default: ocache/STACK in the user\'s data folder]' -r -F
complete -c ocache -n "__fish_ocache_using_subcommand generate" -l backend -d 'Which engine holds tables and queues [default: embedded]' -r -f -a "embedded\t'One file on this machine; nothing need be installed'
aws\t'DynamoDB, SQS and SNS, of an account or of a local AWS'"
complete -c ocache -n "__fish_ocache_using_subcommand generate" -l stack -d 'Prefix of all tables, queues and topics' -r
complete -c ocache -n "__fish_ocache_using_subcommand generate" -l profile -d 'AWS profile; implies --backend aws' -r
complete -c ocache -n "__fish_ocache_using_subcommand generate" -l region -d 'AWS region; implies --backend aws' -r
complete -c ocache -n "__fish_ocache_using_subcommand generate" -l endpoint-url -d 'AWS endpoint, such as that of a local AWS; implies --backend aws' -r
complete -c ocache -n "__fish_ocache_using_subcommand generate" -l management-endpoint -d 'API Gateway management endpoint that answers may be pushed to; may be given more than once' -r
complete -c ocache -n "__fish_ocache_using_subcommand generate" -l output -d 'How data is printed' -r -f -a "table\t'For people'
json\t'For programs'"
complete -c ocache -n "__fish_ocache_using_subcommand generate" -l force -d 'Overwrite files that are there'
complete -c ocache -n "__fish_ocache_using_subcommand generate" -s q -l quiet -d 'Print data and errors only'
complete -c ocache -n "__fish_ocache_using_subcommand generate" -s v -l verbose -d 'Log more; twice for everything'
complete -c ocache -n "__fish_ocache_using_subcommand generate" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ocache -n "__fish_ocache_using_subcommand subscribe" -l ttl -d 'How long they stay active' -r
complete -c ocache -n "__fish_ocache_using_subcommand subscribe" -l data-dir -d 'Folder of the embedded store [default: ocache/STACK in the user\'s data folder]' -r -F
complete -c ocache -n "__fish_ocache_using_subcommand subscribe" -l backend -d 'Which engine holds tables and queues [default: embedded]' -r -f -a "embedded\t'One file on this machine; nothing need be installed'
aws\t'DynamoDB, SQS and SNS, of an account or of a local AWS'"
complete -c ocache -n "__fish_ocache_using_subcommand subscribe" -l stack -d 'Prefix of all tables, queues and topics' -r
complete -c ocache -n "__fish_ocache_using_subcommand subscribe" -l profile -d 'AWS profile; implies --backend aws' -r
complete -c ocache -n "__fish_ocache_using_subcommand subscribe" -l region -d 'AWS region; implies --backend aws' -r
complete -c ocache -n "__fish_ocache_using_subcommand subscribe" -l endpoint-url -d 'AWS endpoint, such as that of a local AWS; implies --backend aws' -r
complete -c ocache -n "__fish_ocache_using_subcommand subscribe" -l management-endpoint -d 'API Gateway management endpoint that answers may be pushed to; may be given more than once' -r
complete -c ocache -n "__fish_ocache_using_subcommand subscribe" -l output -d 'How data is printed' -r -f -a "table\t'For people'
json\t'For programs'"
complete -c ocache -n "__fish_ocache_using_subcommand subscribe" -s q -l quiet -d 'Print data and errors only'
complete -c ocache -n "__fish_ocache_using_subcommand subscribe" -s v -l verbose -d 'Log more; twice for everything'
complete -c ocache -n "__fish_ocache_using_subcommand subscribe" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ocache -n "__fish_ocache_using_subcommand unsubscribe" -l data-dir -d 'Folder of the embedded store [default: ocache/STACK in the user\'s data folder]' -r -F
complete -c ocache -n "__fish_ocache_using_subcommand unsubscribe" -l backend -d 'Which engine holds tables and queues [default: embedded]' -r -f -a "embedded\t'One file on this machine; nothing need be installed'
aws\t'DynamoDB, SQS and SNS, of an account or of a local AWS'"
complete -c ocache -n "__fish_ocache_using_subcommand unsubscribe" -l stack -d 'Prefix of all tables, queues and topics' -r
complete -c ocache -n "__fish_ocache_using_subcommand unsubscribe" -l profile -d 'AWS profile; implies --backend aws' -r
complete -c ocache -n "__fish_ocache_using_subcommand unsubscribe" -l region -d 'AWS region; implies --backend aws' -r
complete -c ocache -n "__fish_ocache_using_subcommand unsubscribe" -l endpoint-url -d 'AWS endpoint, such as that of a local AWS; implies --backend aws' -r
complete -c ocache -n "__fish_ocache_using_subcommand unsubscribe" -l management-endpoint -d 'API Gateway management endpoint that answers may be pushed to; may be given more than once' -r
complete -c ocache -n "__fish_ocache_using_subcommand unsubscribe" -l output -d 'How data is printed' -r -f -a "table\t'For people'
json\t'For programs'"
complete -c ocache -n "__fish_ocache_using_subcommand unsubscribe" -s q -l quiet -d 'Print data and errors only'
complete -c ocache -n "__fish_ocache_using_subcommand unsubscribe" -s v -l verbose -d 'Log more; twice for everything'
complete -c ocache -n "__fish_ocache_using_subcommand unsubscribe" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ocache -n "__fish_ocache_using_subcommand worker" -l ttl -d 'How long a user stays active after a visit' -r
complete -c ocache -n "__fish_ocache_using_subcommand worker" -l refresh-every -d 'The time between two scheduled calculations of an active user\'s table' -r
complete -c ocache -n "__fish_ocache_using_subcommand worker" -l usable-for -d 'How long a table answers quotes when nothing refreshes it; at least three intervals' -r
complete -c ocache -n "__fish_ocache_using_subcommand worker" -l quote-within -d 'How long a quotation may take before it fails' -r
complete -c ocache -n "__fish_ocache_using_subcommand worker" -l refresh-slots -d 'Scheduled calculations in hand at most' -r
complete -c ocache -n "__fish_ocache_using_subcommand worker" -l urgent-slots -d 'Urgent calculations in hand at most; scheduled ones never take these slots' -r
complete -c ocache -n "__fish_ocache_using_subcommand worker" -l provider-slots -d 'Quotations in hand at most' -r
complete -c ocache -n "__fish_ocache_using_subcommand worker" -l data-dir -d 'Folder of the embedded store [default: ocache/STACK in the user\'s data folder]' -r -F
complete -c ocache -n "__fish_ocache_using_subcommand worker" -l backend -d 'Which engine holds tables and queues [default: embedded]' -r -f -a "embedded\t'One file on this machine; nothing need be installed'
aws\t'DynamoDB, SQS and SNS, of an account or of a local AWS'"
complete -c ocache -n "__fish_ocache_using_subcommand worker" -l stack -d 'Prefix of all tables, queues and topics' -r
complete -c ocache -n "__fish_ocache_using_subcommand worker" -l profile -d 'AWS profile; implies --backend aws' -r
complete -c ocache -n "__fish_ocache_using_subcommand worker" -l region -d 'AWS region; implies --backend aws' -r
complete -c ocache -n "__fish_ocache_using_subcommand worker" -l endpoint-url -d 'AWS endpoint, such as that of a local AWS; implies --backend aws' -r
complete -c ocache -n "__fish_ocache_using_subcommand worker" -l management-endpoint -d 'API Gateway management endpoint that answers may be pushed to; may be given more than once' -r
complete -c ocache -n "__fish_ocache_using_subcommand worker" -l output -d 'How data is printed' -r -f -a "table\t'For people'
json\t'For programs'"
complete -c ocache -n "__fish_ocache_using_subcommand worker" -s q -l quiet -d 'Print data and errors only'
complete -c ocache -n "__fish_ocache_using_subcommand worker" -s v -l verbose -d 'Log more; twice for everything'
complete -c ocache -n "__fish_ocache_using_subcommand worker" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ocache -n "__fish_ocache_using_subcommand serve" -l port -d 'Port of the gateway on loopback; 0 is any free one' -r
complete -c ocache -n "__fish_ocache_using_subcommand serve" -l ttl -d 'How long a user stays active after a visit' -r
complete -c ocache -n "__fish_ocache_using_subcommand serve" -l refresh-every -d 'The time between two scheduled calculations of an active user\'s table' -r
complete -c ocache -n "__fish_ocache_using_subcommand serve" -l usable-for -d 'How long a table answers quotes when nothing refreshes it; at least three intervals' -r
complete -c ocache -n "__fish_ocache_using_subcommand serve" -l quote-within -d 'How long a quotation may take before it fails' -r
complete -c ocache -n "__fish_ocache_using_subcommand serve" -l allow-origin -d 'Origin of web pages that may use the gateway; may be given more than once' -r
complete -c ocache -n "__fish_ocache_using_subcommand serve" -l allow-host -d 'Name by which clients may call the gateway, beside localhost; may be given more than once' -r
complete -c ocache -n "__fish_ocache_using_subcommand serve" -l max-sockets -d 'Open connections in all' -r
complete -c ocache -n "__fish_ocache_using_subcommand serve" -l max-sockets-per-address -d 'Open websockets of one address' -r
complete -c ocache -n "__fish_ocache_using_subcommand serve" -l max-frames -d 'Frames a second of one websocket' -r
complete -c ocache -n "__fish_ocache_using_subcommand serve" -l max-frames-per-address -d 'Frames a second of one address' -r
complete -c ocache -n "__fish_ocache_using_subcommand serve" -l max-new-users-per-address -d 'Users a minute that one address may make active' -r
complete -c ocache -n "__fish_ocache_using_subcommand serve" -l max-active-users -d 'Users that may be active through the gateway at once' -r
complete -c ocache -n "__fish_ocache_using_subcommand serve" -l data-dir -d 'Folder of the embedded store [default: ocache/STACK in the user\'s data folder]' -r -F
complete -c ocache -n "__fish_ocache_using_subcommand serve" -l backend -d 'Which engine holds tables and queues [default: embedded]' -r -f -a "embedded\t'One file on this machine; nothing need be installed'
aws\t'DynamoDB, SQS and SNS, of an account or of a local AWS'"
complete -c ocache -n "__fish_ocache_using_subcommand serve" -l stack -d 'Prefix of all tables, queues and topics' -r
complete -c ocache -n "__fish_ocache_using_subcommand serve" -l profile -d 'AWS profile; implies --backend aws' -r
complete -c ocache -n "__fish_ocache_using_subcommand serve" -l region -d 'AWS region; implies --backend aws' -r
complete -c ocache -n "__fish_ocache_using_subcommand serve" -l endpoint-url -d 'AWS endpoint, such as that of a local AWS; implies --backend aws' -r
complete -c ocache -n "__fish_ocache_using_subcommand serve" -l management-endpoint -d 'API Gateway management endpoint that answers may be pushed to; may be given more than once' -r
complete -c ocache -n "__fish_ocache_using_subcommand serve" -l output -d 'How data is printed' -r -f -a "table\t'For people'
json\t'For programs'"
complete -c ocache -n "__fish_ocache_using_subcommand serve" -l with-provider -d 'Answer quotations as well, without a worker for it'
complete -c ocache -n "__fish_ocache_using_subcommand serve" -l active-from-second-visit -d 'Keep a user\'s table warm only from the second visit on'
complete -c ocache -n "__fish_ocache_using_subcommand serve" -l limit-loopback -d 'Limit clients of this machine by address too'
complete -c ocache -n "__fish_ocache_using_subcommand serve" -s q -l quiet -d 'Print data and errors only'
complete -c ocache -n "__fish_ocache_using_subcommand serve" -s v -l verbose -d 'Log more; twice for everything'
complete -c ocache -n "__fish_ocache_using_subcommand serve" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ocache -n "__fish_ocache_using_subcommand quote" -l client -l user -d 'Whose prices' -r
complete -c ocache -n "__fish_ocache_using_subcommand quote" -l url -d 'Websocket to use instead of this store\'s gateway' -r
complete -c ocache -n "__fish_ocache_using_subcommand quote" -l request-id -d 'Name of the quote, to repeat it safely [default: made by ocache]' -r
complete -c ocache -n "__fish_ocache_using_subcommand quote" -l timeout -d 'How long to wait for the answer' -r
complete -c ocache -n "__fish_ocache_using_subcommand quote" -l ttl -d 'How long a user stays active after a visit' -r
complete -c ocache -n "__fish_ocache_using_subcommand quote" -l refresh-every -d 'The time between two scheduled calculations of an active user\'s table' -r
complete -c ocache -n "__fish_ocache_using_subcommand quote" -l usable-for -d 'How long a table answers quotes when nothing refreshes it; at least three intervals' -r
complete -c ocache -n "__fish_ocache_using_subcommand quote" -l quote-within -d 'How long a quotation may take before it fails' -r
complete -c ocache -n "__fish_ocache_using_subcommand quote" -l data-dir -d 'Folder of the embedded store [default: ocache/STACK in the user\'s data folder]' -r -F
complete -c ocache -n "__fish_ocache_using_subcommand quote" -l backend -d 'Which engine holds tables and queues [default: embedded]' -r -f -a "embedded\t'One file on this machine; nothing need be installed'
aws\t'DynamoDB, SQS and SNS, of an account or of a local AWS'"
complete -c ocache -n "__fish_ocache_using_subcommand quote" -l stack -d 'Prefix of all tables, queues and topics' -r
complete -c ocache -n "__fish_ocache_using_subcommand quote" -l profile -d 'AWS profile; implies --backend aws' -r
complete -c ocache -n "__fish_ocache_using_subcommand quote" -l region -d 'AWS region; implies --backend aws' -r
complete -c ocache -n "__fish_ocache_using_subcommand quote" -l endpoint-url -d 'AWS endpoint, such as that of a local AWS; implies --backend aws' -r
complete -c ocache -n "__fish_ocache_using_subcommand quote" -l management-endpoint -d 'API Gateway management endpoint that answers may be pushed to; may be given more than once' -r
complete -c ocache -n "__fish_ocache_using_subcommand quote" -l output -d 'How data is printed' -r -f -a "table\t'For people'
json\t'For programs'"
complete -c ocache -n "__fish_ocache_using_subcommand quote" -s q -l quiet -d 'Print data and errors only'
complete -c ocache -n "__fish_ocache_using_subcommand quote" -s v -l verbose -d 'Log more; twice for everything'
complete -c ocache -n "__fish_ocache_using_subcommand quote" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ocache -n "__fish_ocache_using_subcommand quotation" -l client -l user -d 'Whose quotation; needed for ids that the client chose' -r
complete -c ocache -n "__fish_ocache_using_subcommand quotation" -l data-dir -d 'Folder of the embedded store [default: ocache/STACK in the user\'s data folder]' -r -F
complete -c ocache -n "__fish_ocache_using_subcommand quotation" -l backend -d 'Which engine holds tables and queues [default: embedded]' -r -f -a "embedded\t'One file on this machine; nothing need be installed'
aws\t'DynamoDB, SQS and SNS, of an account or of a local AWS'"
complete -c ocache -n "__fish_ocache_using_subcommand quotation" -l stack -d 'Prefix of all tables, queues and topics' -r
complete -c ocache -n "__fish_ocache_using_subcommand quotation" -l profile -d 'AWS profile; implies --backend aws' -r
complete -c ocache -n "__fish_ocache_using_subcommand quotation" -l region -d 'AWS region; implies --backend aws' -r
complete -c ocache -n "__fish_ocache_using_subcommand quotation" -l endpoint-url -d 'AWS endpoint, such as that of a local AWS; implies --backend aws' -r
complete -c ocache -n "__fish_ocache_using_subcommand quotation" -l management-endpoint -d 'API Gateway management endpoint that answers may be pushed to; may be given more than once' -r
complete -c ocache -n "__fish_ocache_using_subcommand quotation" -l output -d 'How data is printed' -r -f -a "table\t'For people'
json\t'For programs'"
complete -c ocache -n "__fish_ocache_using_subcommand quotation" -s q -l quiet -d 'Print data and errors only'
complete -c ocache -n "__fish_ocache_using_subcommand quotation" -s v -l verbose -d 'Log more; twice for everything'
complete -c ocache -n "__fish_ocache_using_subcommand quotation" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ocache -n "__fish_ocache_using_subcommand prices" -l product -d 'Only this product; may be given more than once' -r
complete -c ocache -n "__fish_ocache_using_subcommand prices" -l data-dir -d 'Folder of the embedded store [default: ocache/STACK in the user\'s data folder]' -r -F
complete -c ocache -n "__fish_ocache_using_subcommand prices" -l backend -d 'Which engine holds tables and queues [default: embedded]' -r -f -a "embedded\t'One file on this machine; nothing need be installed'
aws\t'DynamoDB, SQS and SNS, of an account or of a local AWS'"
complete -c ocache -n "__fish_ocache_using_subcommand prices" -l stack -d 'Prefix of all tables, queues and topics' -r
complete -c ocache -n "__fish_ocache_using_subcommand prices" -l profile -d 'AWS profile; implies --backend aws' -r
complete -c ocache -n "__fish_ocache_using_subcommand prices" -l region -d 'AWS region; implies --backend aws' -r
complete -c ocache -n "__fish_ocache_using_subcommand prices" -l endpoint-url -d 'AWS endpoint, such as that of a local AWS; implies --backend aws' -r
complete -c ocache -n "__fish_ocache_using_subcommand prices" -l management-endpoint -d 'API Gateway management endpoint that answers may be pushed to; may be given more than once' -r
complete -c ocache -n "__fish_ocache_using_subcommand prices" -l output -d 'How data is printed' -r -f -a "table\t'For people'
json\t'For programs'"
complete -c ocache -n "__fish_ocache_using_subcommand prices" -s q -l quiet -d 'Print data and errors only'
complete -c ocache -n "__fish_ocache_using_subcommand prices" -s v -l verbose -d 'Log more; twice for everything'
complete -c ocache -n "__fish_ocache_using_subcommand prices" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ocache -n "__fish_ocache_using_subcommand status" -l data-dir -d 'Folder of the embedded store [default: ocache/STACK in the user\'s data folder]' -r -F
complete -c ocache -n "__fish_ocache_using_subcommand status" -l backend -d 'Which engine holds tables and queues [default: embedded]' -r -f -a "embedded\t'One file on this machine; nothing need be installed'
aws\t'DynamoDB, SQS and SNS, of an account or of a local AWS'"
complete -c ocache -n "__fish_ocache_using_subcommand status" -l stack -d 'Prefix of all tables, queues and topics' -r
complete -c ocache -n "__fish_ocache_using_subcommand status" -l profile -d 'AWS profile; implies --backend aws' -r
complete -c ocache -n "__fish_ocache_using_subcommand status" -l region -d 'AWS region; implies --backend aws' -r
complete -c ocache -n "__fish_ocache_using_subcommand status" -l endpoint-url -d 'AWS endpoint, such as that of a local AWS; implies --backend aws' -r
complete -c ocache -n "__fish_ocache_using_subcommand status" -l management-endpoint -d 'API Gateway management endpoint that answers may be pushed to; may be given more than once' -r
complete -c ocache -n "__fish_ocache_using_subcommand status" -l output -d 'How data is printed' -r -f -a "table\t'For people'
json\t'For programs'"
complete -c ocache -n "__fish_ocache_using_subcommand status" -s q -l quiet -d 'Print data and errors only'
complete -c ocache -n "__fish_ocache_using_subcommand status" -s v -l verbose -d 'Log more; twice for everything'
complete -c ocache -n "__fish_ocache_using_subcommand status" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ocache -n "__fish_ocache_using_subcommand dead-letters; and not __fish_seen_subcommand_from list show redrive drop help" -l data-dir -d 'Folder of the embedded store [default: ocache/STACK in the user\'s data folder]' -r -F
complete -c ocache -n "__fish_ocache_using_subcommand dead-letters; and not __fish_seen_subcommand_from list show redrive drop help" -l backend -d 'Which engine holds tables and queues [default: embedded]' -r -f -a "embedded\t'One file on this machine; nothing need be installed'
aws\t'DynamoDB, SQS and SNS, of an account or of a local AWS'"
complete -c ocache -n "__fish_ocache_using_subcommand dead-letters; and not __fish_seen_subcommand_from list show redrive drop help" -l stack -d 'Prefix of all tables, queues and topics' -r
complete -c ocache -n "__fish_ocache_using_subcommand dead-letters; and not __fish_seen_subcommand_from list show redrive drop help" -l profile -d 'AWS profile; implies --backend aws' -r
complete -c ocache -n "__fish_ocache_using_subcommand dead-letters; and not __fish_seen_subcommand_from list show redrive drop help" -l region -d 'AWS region; implies --backend aws' -r
complete -c ocache -n "__fish_ocache_using_subcommand dead-letters; and not __fish_seen_subcommand_from list show redrive drop help" -l endpoint-url -d 'AWS endpoint, such as that of a local AWS; implies --backend aws' -r
complete -c ocache -n "__fish_ocache_using_subcommand dead-letters; and not __fish_seen_subcommand_from list show redrive drop help" -l management-endpoint -d 'API Gateway management endpoint that answers may be pushed to; may be given more than once' -r
complete -c ocache -n "__fish_ocache_using_subcommand dead-letters; and not __fish_seen_subcommand_from list show redrive drop help" -l output -d 'How data is printed' -r -f -a "table\t'For people'
json\t'For programs'"
complete -c ocache -n "__fish_ocache_using_subcommand dead-letters; and not __fish_seen_subcommand_from list show redrive drop help" -s q -l quiet -d 'Print data and errors only'
complete -c ocache -n "__fish_ocache_using_subcommand dead-letters; and not __fish_seen_subcommand_from list show redrive drop help" -s v -l verbose -d 'Log more; twice for everything'
complete -c ocache -n "__fish_ocache_using_subcommand dead-letters; and not __fish_seen_subcommand_from list show redrive drop help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ocache -n "__fish_ocache_using_subcommand dead-letters; and not __fish_seen_subcommand_from list show redrive drop help" -f -a "list" -d 'List them'
complete -c ocache -n "__fish_ocache_using_subcommand dead-letters; and not __fish_seen_subcommand_from list show redrive drop help" -f -a "show" -d 'Show one whole'
complete -c ocache -n "__fish_ocache_using_subcommand dead-letters; and not __fish_seen_subcommand_from list show redrive drop help" -f -a "redrive" -d 'Send them to their queue again'
complete -c ocache -n "__fish_ocache_using_subcommand dead-letters; and not __fish_seen_subcommand_from list show redrive drop help" -f -a "drop" -d 'Delete them'
complete -c ocache -n "__fish_ocache_using_subcommand dead-letters; and not __fish_seen_subcommand_from list show redrive drop help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c ocache -n "__fish_ocache_using_subcommand dead-letters; and __fish_seen_subcommand_from list" -l queue -d 'Only those of this queue' -r -f -a "refresh\t'Scheduled calculations'
quotation\t'Urgent calculations'
provider\t'Quotations to answer'"
complete -c ocache -n "__fish_ocache_using_subcommand dead-letters; and __fish_seen_subcommand_from list" -l limit -d 'So many of each queue at most' -r
complete -c ocache -n "__fish_ocache_using_subcommand dead-letters; and __fish_seen_subcommand_from list" -l data-dir -d 'Folder of the embedded store [default: ocache/STACK in the user\'s data folder]' -r -F
complete -c ocache -n "__fish_ocache_using_subcommand dead-letters; and __fish_seen_subcommand_from list" -l backend -d 'Which engine holds tables and queues [default: embedded]' -r -f -a "embedded\t'One file on this machine; nothing need be installed'
aws\t'DynamoDB, SQS and SNS, of an account or of a local AWS'"
complete -c ocache -n "__fish_ocache_using_subcommand dead-letters; and __fish_seen_subcommand_from list" -l stack -d 'Prefix of all tables, queues and topics' -r
complete -c ocache -n "__fish_ocache_using_subcommand dead-letters; and __fish_seen_subcommand_from list" -l profile -d 'AWS profile; implies --backend aws' -r
complete -c ocache -n "__fish_ocache_using_subcommand dead-letters; and __fish_seen_subcommand_from list" -l region -d 'AWS region; implies --backend aws' -r
complete -c ocache -n "__fish_ocache_using_subcommand dead-letters; and __fish_seen_subcommand_from list" -l endpoint-url -d 'AWS endpoint, such as that of a local AWS; implies --backend aws' -r
complete -c ocache -n "__fish_ocache_using_subcommand dead-letters; and __fish_seen_subcommand_from list" -l management-endpoint -d 'API Gateway management endpoint that answers may be pushed to; may be given more than once' -r
complete -c ocache -n "__fish_ocache_using_subcommand dead-letters; and __fish_seen_subcommand_from list" -l output -d 'How data is printed' -r -f -a "table\t'For people'
json\t'For programs'"
complete -c ocache -n "__fish_ocache_using_subcommand dead-letters; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Print data and errors only'
complete -c ocache -n "__fish_ocache_using_subcommand dead-letters; and __fish_seen_subcommand_from list" -s v -l verbose -d 'Log more; twice for everything'
complete -c ocache -n "__fish_ocache_using_subcommand dead-letters; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ocache -n "__fish_ocache_using_subcommand dead-letters; and __fish_seen_subcommand_from show" -l data-dir -d 'Folder of the embedded store [default: ocache/STACK in the user\'s data folder]' -r -F
complete -c ocache -n "__fish_ocache_using_subcommand dead-letters; and __fish_seen_subcommand_from show" -l backend -d 'Which engine holds tables and queues [default: embedded]' -r -f -a "embedded\t'One file on this machine; nothing need be installed'
aws\t'DynamoDB, SQS and SNS, of an account or of a local AWS'"
complete -c ocache -n "__fish_ocache_using_subcommand dead-letters; and __fish_seen_subcommand_from show" -l stack -d 'Prefix of all tables, queues and topics' -r
complete -c ocache -n "__fish_ocache_using_subcommand dead-letters; and __fish_seen_subcommand_from show" -l profile -d 'AWS profile; implies --backend aws' -r
complete -c ocache -n "__fish_ocache_using_subcommand dead-letters; and __fish_seen_subcommand_from show" -l region -d 'AWS region; implies --backend aws' -r
complete -c ocache -n "__fish_ocache_using_subcommand dead-letters; and __fish_seen_subcommand_from show" -l endpoint-url -d 'AWS endpoint, such as that of a local AWS; implies --backend aws' -r
complete -c ocache -n "__fish_ocache_using_subcommand dead-letters; and __fish_seen_subcommand_from show" -l management-endpoint -d 'API Gateway management endpoint that answers may be pushed to; may be given more than once' -r
complete -c ocache -n "__fish_ocache_using_subcommand dead-letters; and __fish_seen_subcommand_from show" -l output -d 'How data is printed' -r -f -a "table\t'For people'
json\t'For programs'"
complete -c ocache -n "__fish_ocache_using_subcommand dead-letters; and __fish_seen_subcommand_from show" -s q -l quiet -d 'Print data and errors only'
complete -c ocache -n "__fish_ocache_using_subcommand dead-letters; and __fish_seen_subcommand_from show" -s v -l verbose -d 'Log more; twice for everything'
complete -c ocache -n "__fish_ocache_using_subcommand dead-letters; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ocache -n "__fish_ocache_using_subcommand dead-letters; and __fish_seen_subcommand_from redrive" -l queue -d 'Only those of this queue' -r -f -a "refresh\t'Scheduled calculations'
quotation\t'Urgent calculations'
provider\t'Quotations to answer'"
complete -c ocache -n "__fish_ocache_using_subcommand dead-letters; and __fish_seen_subcommand_from redrive" -l data-dir -d 'Folder of the embedded store [default: ocache/STACK in the user\'s data folder]' -r -F
complete -c ocache -n "__fish_ocache_using_subcommand dead-letters; and __fish_seen_subcommand_from redrive" -l backend -d 'Which engine holds tables and queues [default: embedded]' -r -f -a "embedded\t'One file on this machine; nothing need be installed'
aws\t'DynamoDB, SQS and SNS, of an account or of a local AWS'"
complete -c ocache -n "__fish_ocache_using_subcommand dead-letters; and __fish_seen_subcommand_from redrive" -l stack -d 'Prefix of all tables, queues and topics' -r
complete -c ocache -n "__fish_ocache_using_subcommand dead-letters; and __fish_seen_subcommand_from redrive" -l profile -d 'AWS profile; implies --backend aws' -r
complete -c ocache -n "__fish_ocache_using_subcommand dead-letters; and __fish_seen_subcommand_from redrive" -l region -d 'AWS region; implies --backend aws' -r
complete -c ocache -n "__fish_ocache_using_subcommand dead-letters; and __fish_seen_subcommand_from redrive" -l endpoint-url -d 'AWS endpoint, such as that of a local AWS; implies --backend aws' -r
complete -c ocache -n "__fish_ocache_using_subcommand dead-letters; and __fish_seen_subcommand_from redrive" -l management-endpoint -d 'API Gateway management endpoint that answers may be pushed to; may be given more than once' -r
complete -c ocache -n "__fish_ocache_using_subcommand dead-letters; and __fish_seen_subcommand_from redrive" -l output -d 'How data is printed' -r -f -a "table\t'For people'
json\t'For programs'"
complete -c ocache -n "__fish_ocache_using_subcommand dead-letters; and __fish_seen_subcommand_from redrive" -l all -d 'Every one'
complete -c ocache -n "__fish_ocache_using_subcommand dead-letters; and __fish_seen_subcommand_from redrive" -s q -l quiet -d 'Print data and errors only'
complete -c ocache -n "__fish_ocache_using_subcommand dead-letters; and __fish_seen_subcommand_from redrive" -s v -l verbose -d 'Log more; twice for everything'
complete -c ocache -n "__fish_ocache_using_subcommand dead-letters; and __fish_seen_subcommand_from redrive" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ocache -n "__fish_ocache_using_subcommand dead-letters; and __fish_seen_subcommand_from drop" -l queue -d 'Only those of this queue' -r -f -a "refresh\t'Scheduled calculations'
quotation\t'Urgent calculations'
provider\t'Quotations to answer'"
complete -c ocache -n "__fish_ocache_using_subcommand dead-letters; and __fish_seen_subcommand_from drop" -l data-dir -d 'Folder of the embedded store [default: ocache/STACK in the user\'s data folder]' -r -F
complete -c ocache -n "__fish_ocache_using_subcommand dead-letters; and __fish_seen_subcommand_from drop" -l backend -d 'Which engine holds tables and queues [default: embedded]' -r -f -a "embedded\t'One file on this machine; nothing need be installed'
aws\t'DynamoDB, SQS and SNS, of an account or of a local AWS'"
complete -c ocache -n "__fish_ocache_using_subcommand dead-letters; and __fish_seen_subcommand_from drop" -l stack -d 'Prefix of all tables, queues and topics' -r
complete -c ocache -n "__fish_ocache_using_subcommand dead-letters; and __fish_seen_subcommand_from drop" -l profile -d 'AWS profile; implies --backend aws' -r
complete -c ocache -n "__fish_ocache_using_subcommand dead-letters; and __fish_seen_subcommand_from drop" -l region -d 'AWS region; implies --backend aws' -r
complete -c ocache -n "__fish_ocache_using_subcommand dead-letters; and __fish_seen_subcommand_from drop" -l endpoint-url -d 'AWS endpoint, such as that of a local AWS; implies --backend aws' -r
complete -c ocache -n "__fish_ocache_using_subcommand dead-letters; and __fish_seen_subcommand_from drop" -l management-endpoint -d 'API Gateway management endpoint that answers may be pushed to; may be given more than once' -r
complete -c ocache -n "__fish_ocache_using_subcommand dead-letters; and __fish_seen_subcommand_from drop" -l output -d 'How data is printed' -r -f -a "table\t'For people'
json\t'For programs'"
complete -c ocache -n "__fish_ocache_using_subcommand dead-letters; and __fish_seen_subcommand_from drop" -l all -d 'Every one'
complete -c ocache -n "__fish_ocache_using_subcommand dead-letters; and __fish_seen_subcommand_from drop" -s q -l quiet -d 'Print data and errors only'
complete -c ocache -n "__fish_ocache_using_subcommand dead-letters; and __fish_seen_subcommand_from drop" -s v -l verbose -d 'Log more; twice for everything'
complete -c ocache -n "__fish_ocache_using_subcommand dead-letters; and __fish_seen_subcommand_from drop" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ocache -n "__fish_ocache_using_subcommand dead-letters; and __fish_seen_subcommand_from help" -f -a "list" -d 'List them'
complete -c ocache -n "__fish_ocache_using_subcommand dead-letters; and __fish_seen_subcommand_from help" -f -a "show" -d 'Show one whole'
complete -c ocache -n "__fish_ocache_using_subcommand dead-letters; and __fish_seen_subcommand_from help" -f -a "redrive" -d 'Send them to their queue again'
complete -c ocache -n "__fish_ocache_using_subcommand dead-letters; and __fish_seen_subcommand_from help" -f -a "drop" -d 'Delete them'
complete -c ocache -n "__fish_ocache_using_subcommand dead-letters; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c ocache -n "__fish_ocache_using_subcommand backup" -l data-dir -d 'Folder of the embedded store [default: ocache/STACK in the user\'s data folder]' -r -F
complete -c ocache -n "__fish_ocache_using_subcommand backup" -l backend -d 'Which engine holds tables and queues [default: embedded]' -r -f -a "embedded\t'One file on this machine; nothing need be installed'
aws\t'DynamoDB, SQS and SNS, of an account or of a local AWS'"
complete -c ocache -n "__fish_ocache_using_subcommand backup" -l stack -d 'Prefix of all tables, queues and topics' -r
complete -c ocache -n "__fish_ocache_using_subcommand backup" -l profile -d 'AWS profile; implies --backend aws' -r
complete -c ocache -n "__fish_ocache_using_subcommand backup" -l region -d 'AWS region; implies --backend aws' -r
complete -c ocache -n "__fish_ocache_using_subcommand backup" -l endpoint-url -d 'AWS endpoint, such as that of a local AWS; implies --backend aws' -r
complete -c ocache -n "__fish_ocache_using_subcommand backup" -l management-endpoint -d 'API Gateway management endpoint that answers may be pushed to; may be given more than once' -r
complete -c ocache -n "__fish_ocache_using_subcommand backup" -l output -d 'How data is printed' -r -f -a "table\t'For people'
json\t'For programs'"
complete -c ocache -n "__fish_ocache_using_subcommand backup" -s q -l quiet -d 'Print data and errors only'
complete -c ocache -n "__fish_ocache_using_subcommand backup" -s v -l verbose -d 'Log more; twice for everything'
complete -c ocache -n "__fish_ocache_using_subcommand backup" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ocache -n "__fish_ocache_using_subcommand doctor" -l data-dir -d 'Folder of the embedded store [default: ocache/STACK in the user\'s data folder]' -r -F
complete -c ocache -n "__fish_ocache_using_subcommand doctor" -l backend -d 'Which engine holds tables and queues [default: embedded]' -r -f -a "embedded\t'One file on this machine; nothing need be installed'
aws\t'DynamoDB, SQS and SNS, of an account or of a local AWS'"
complete -c ocache -n "__fish_ocache_using_subcommand doctor" -l stack -d 'Prefix of all tables, queues and topics' -r
complete -c ocache -n "__fish_ocache_using_subcommand doctor" -l profile -d 'AWS profile; implies --backend aws' -r
complete -c ocache -n "__fish_ocache_using_subcommand doctor" -l region -d 'AWS region; implies --backend aws' -r
complete -c ocache -n "__fish_ocache_using_subcommand doctor" -l endpoint-url -d 'AWS endpoint, such as that of a local AWS; implies --backend aws' -r
complete -c ocache -n "__fish_ocache_using_subcommand doctor" -l management-endpoint -d 'API Gateway management endpoint that answers may be pushed to; may be given more than once' -r
complete -c ocache -n "__fish_ocache_using_subcommand doctor" -l output -d 'How data is printed' -r -f -a "table\t'For people'
json\t'For programs'"
complete -c ocache -n "__fish_ocache_using_subcommand doctor" -s q -l quiet -d 'Print data and errors only'
complete -c ocache -n "__fish_ocache_using_subcommand doctor" -s v -l verbose -d 'Log more; twice for everything'
complete -c ocache -n "__fish_ocache_using_subcommand doctor" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ocache -n "__fish_ocache_using_subcommand provision" -l data-dir -d 'Folder of the embedded store [default: ocache/STACK in the user\'s data folder]' -r -F
complete -c ocache -n "__fish_ocache_using_subcommand provision" -l backend -d 'Which engine holds tables and queues [default: embedded]' -r -f -a "embedded\t'One file on this machine; nothing need be installed'
aws\t'DynamoDB, SQS and SNS, of an account or of a local AWS'"
complete -c ocache -n "__fish_ocache_using_subcommand provision" -l stack -d 'Prefix of all tables, queues and topics' -r
complete -c ocache -n "__fish_ocache_using_subcommand provision" -l profile -d 'AWS profile; implies --backend aws' -r
complete -c ocache -n "__fish_ocache_using_subcommand provision" -l region -d 'AWS region; implies --backend aws' -r
complete -c ocache -n "__fish_ocache_using_subcommand provision" -l endpoint-url -d 'AWS endpoint, such as that of a local AWS; implies --backend aws' -r
complete -c ocache -n "__fish_ocache_using_subcommand provision" -l management-endpoint -d 'API Gateway management endpoint that answers may be pushed to; may be given more than once' -r
complete -c ocache -n "__fish_ocache_using_subcommand provision" -l output -d 'How data is printed' -r -f -a "table\t'For people'
json\t'For programs'"
complete -c ocache -n "__fish_ocache_using_subcommand provision" -l fix -d 'Also set what differs'
complete -c ocache -n "__fish_ocache_using_subcommand provision" -l dry-run -d 'Only say what would be done'
complete -c ocache -n "__fish_ocache_using_subcommand provision" -s y -l yes -d 'Do not ask'
complete -c ocache -n "__fish_ocache_using_subcommand provision" -s q -l quiet -d 'Print data and errors only'
complete -c ocache -n "__fish_ocache_using_subcommand provision" -s v -l verbose -d 'Log more; twice for everything'
complete -c ocache -n "__fish_ocache_using_subcommand provision" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ocache -n "__fish_ocache_using_subcommand destroy" -l data-dir -d 'Folder of the embedded store [default: ocache/STACK in the user\'s data folder]' -r -F
complete -c ocache -n "__fish_ocache_using_subcommand destroy" -l backend -d 'Which engine holds tables and queues [default: embedded]' -r -f -a "embedded\t'One file on this machine; nothing need be installed'
aws\t'DynamoDB, SQS and SNS, of an account or of a local AWS'"
complete -c ocache -n "__fish_ocache_using_subcommand destroy" -l stack -d 'Prefix of all tables, queues and topics' -r
complete -c ocache -n "__fish_ocache_using_subcommand destroy" -l profile -d 'AWS profile; implies --backend aws' -r
complete -c ocache -n "__fish_ocache_using_subcommand destroy" -l region -d 'AWS region; implies --backend aws' -r
complete -c ocache -n "__fish_ocache_using_subcommand destroy" -l endpoint-url -d 'AWS endpoint, such as that of a local AWS; implies --backend aws' -r
complete -c ocache -n "__fish_ocache_using_subcommand destroy" -l management-endpoint -d 'API Gateway management endpoint that answers may be pushed to; may be given more than once' -r
complete -c ocache -n "__fish_ocache_using_subcommand destroy" -l output -d 'How data is printed' -r -f -a "table\t'For people'
json\t'For programs'"
complete -c ocache -n "__fish_ocache_using_subcommand destroy" -l dry-run -d 'Only say what would be deleted'
complete -c ocache -n "__fish_ocache_using_subcommand destroy" -s y -l yes -d 'Do not ask'
complete -c ocache -n "__fish_ocache_using_subcommand destroy" -s q -l quiet -d 'Print data and errors only'
complete -c ocache -n "__fish_ocache_using_subcommand destroy" -s v -l verbose -d 'Log more; twice for everything'
complete -c ocache -n "__fish_ocache_using_subcommand destroy" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ocache -n "__fish_ocache_using_subcommand completions" -l data-dir -d 'Folder of the embedded store [default: ocache/STACK in the user\'s data folder]' -r -F
complete -c ocache -n "__fish_ocache_using_subcommand completions" -l backend -d 'Which engine holds tables and queues [default: embedded]' -r -f -a "embedded\t'One file on this machine; nothing need be installed'
aws\t'DynamoDB, SQS and SNS, of an account or of a local AWS'"
complete -c ocache -n "__fish_ocache_using_subcommand completions" -l stack -d 'Prefix of all tables, queues and topics' -r
complete -c ocache -n "__fish_ocache_using_subcommand completions" -l profile -d 'AWS profile; implies --backend aws' -r
complete -c ocache -n "__fish_ocache_using_subcommand completions" -l region -d 'AWS region; implies --backend aws' -r
complete -c ocache -n "__fish_ocache_using_subcommand completions" -l endpoint-url -d 'AWS endpoint, such as that of a local AWS; implies --backend aws' -r
complete -c ocache -n "__fish_ocache_using_subcommand completions" -l management-endpoint -d 'API Gateway management endpoint that answers may be pushed to; may be given more than once' -r
complete -c ocache -n "__fish_ocache_using_subcommand completions" -l output -d 'How data is printed' -r -f -a "table\t'For people'
json\t'For programs'"
complete -c ocache -n "__fish_ocache_using_subcommand completions" -s q -l quiet -d 'Print data and errors only'
complete -c ocache -n "__fish_ocache_using_subcommand completions" -s v -l verbose -d 'Log more; twice for everything'
complete -c ocache -n "__fish_ocache_using_subcommand completions" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ocache -n "__fish_ocache_using_subcommand help; and not __fish_seen_subcommand_from up load generate subscribe unsubscribe worker serve quote quotation prices status dead-letters backup doctor provision destroy completions help" -f -a "up" -d 'Run the whole system in one process'
complete -c ocache -n "__fish_ocache_using_subcommand help; and not __fish_seen_subcommand_from up load generate subscribe unsubscribe worker serve quote quotation prices status dead-letters backup doctor provision destroy completions help" -f -a "load" -d 'Load products and discounts from files'
complete -c ocache -n "__fish_ocache_using_subcommand help; and not __fish_seen_subcommand_from up load generate subscribe unsubscribe worker serve quote quotation prices status dead-letters backup doctor provision destroy completions help" -f -a "generate" -d 'Make large data files from a seed'
complete -c ocache -n "__fish_ocache_using_subcommand help; and not __fish_seen_subcommand_from up load generate subscribe unsubscribe worker serve quote quotation prices status dead-letters backup doctor provision destroy completions help" -f -a "subscribe" -d 'Make users active, so that their price tables are kept warm'
complete -c ocache -n "__fish_ocache_using_subcommand help; and not __fish_seen_subcommand_from up load generate subscribe unsubscribe worker serve quote quotation prices status dead-letters backup doctor provision destroy completions help" -f -a "unsubscribe" -d 'Let users expire now'
complete -c ocache -n "__fish_ocache_using_subcommand help; and not __fish_seen_subcommand_from up load generate subscribe unsubscribe worker serve quote quotation prices status dead-letters backup doctor provision destroy completions help" -f -a "worker" -d 'Run one role in the foreground'
complete -c ocache -n "__fish_ocache_using_subcommand help; and not __fish_seen_subcommand_from up load generate subscribe unsubscribe worker serve quote quotation prices status dead-letters backup doctor provision destroy completions help" -f -a "serve" -d 'Run the gateway: websockets, PUT /subscribe, /health'
complete -c ocache -n "__fish_ocache_using_subcommand help; and not __fish_seen_subcommand_from up load generate subscribe unsubscribe worker serve quote quotation prices status dead-letters backup doctor provision destroy completions help" -f -a "quote" -d 'Ask for a quotation, or for many in a session'
complete -c ocache -n "__fish_ocache_using_subcommand help; and not __fish_seen_subcommand_from up load generate subscribe unsubscribe worker serve quote quotation prices status dead-letters backup doctor provision destroy completions help" -f -a "quotation" -d 'Show a past quotation'
complete -c ocache -n "__fish_ocache_using_subcommand help; and not __fish_seen_subcommand_from up load generate subscribe unsubscribe worker serve quote quotation prices status dead-letters backup doctor provision destroy completions help" -f -a "prices" -d 'Show a user\'s stored price table'
complete -c ocache -n "__fish_ocache_using_subcommand help; and not __fish_seen_subcommand_from up load generate subscribe unsubscribe worker serve quote quotation prices status dead-letters backup doctor provision destroy completions help" -f -a "status" -d 'Show active users, tables, queues and dead letters'
complete -c ocache -n "__fish_ocache_using_subcommand help; and not __fish_seen_subcommand_from up load generate subscribe unsubscribe worker serve quote quotation prices status dead-letters backup doctor provision destroy completions help" -f -a "dead-letters" -d 'See to the messages that were given up'
complete -c ocache -n "__fish_ocache_using_subcommand help; and not __fish_seen_subcommand_from up load generate subscribe unsubscribe worker serve quote quotation prices status dead-letters backup doctor provision destroy completions help" -f -a "backup" -d 'Copy the embedded store to a file while it is in use'
complete -c ocache -n "__fish_ocache_using_subcommand help; and not __fish_seen_subcommand_from up load generate subscribe unsubscribe worker serve quote quotation prices status dead-letters backup doctor provision destroy completions help" -f -a "doctor" -d 'Check that everything ocache needs is there and as it should be'
complete -c ocache -n "__fish_ocache_using_subcommand help; and not __fish_seen_subcommand_from up load generate subscribe unsubscribe worker serve quote quotation prices status dead-letters backup doctor provision destroy completions help" -f -a "provision" -d 'Make the tables, queues and topic of a stack on AWS'
complete -c ocache -n "__fish_ocache_using_subcommand help; and not __fish_seen_subcommand_from up load generate subscribe unsubscribe worker serve quote quotation prices status dead-letters backup doctor provision destroy completions help" -f -a "destroy" -d 'Delete the tables, queues and topic of a stack on AWS, and all that is in them'
complete -c ocache -n "__fish_ocache_using_subcommand help; and not __fish_seen_subcommand_from up load generate subscribe unsubscribe worker serve quote quotation prices status dead-letters backup doctor provision destroy completions help" -f -a "completions" -d 'Print a shell\'s completion script'
complete -c ocache -n "__fish_ocache_using_subcommand help; and not __fish_seen_subcommand_from up load generate subscribe unsubscribe worker serve quote quotation prices status dead-letters backup doctor provision destroy completions help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c ocache -n "__fish_ocache_using_subcommand help; and __fish_seen_subcommand_from dead-letters" -f -a "list" -d 'List them'
complete -c ocache -n "__fish_ocache_using_subcommand help; and __fish_seen_subcommand_from dead-letters" -f -a "show" -d 'Show one whole'
complete -c ocache -n "__fish_ocache_using_subcommand help; and __fish_seen_subcommand_from dead-letters" -f -a "redrive" -d 'Send them to their queue again'
complete -c ocache -n "__fish_ocache_using_subcommand help; and __fish_seen_subcommand_from dead-letters" -f -a "drop" -d 'Delete them'
