
using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'ocache' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'ocache'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        'ocache' {
            [CompletionResult]::new('--data-dir', '--data-dir', [CompletionResultType]::ParameterName, 'Folder of the embedded store [default: ocache/STACK in the user''s data folder]')
            [CompletionResult]::new('--backend', '--backend', [CompletionResultType]::ParameterName, 'Which engine holds tables and queues [default: embedded]')
            [CompletionResult]::new('--stack', '--stack', [CompletionResultType]::ParameterName, 'Prefix of all tables, queues and topics')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'AWS profile; implies --backend aws')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region; implies --backend aws')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'AWS endpoint, such as that of a local AWS; implies --backend aws')
            [CompletionResult]::new('--management-endpoint', '--management-endpoint', [CompletionResultType]::ParameterName, 'API Gateway management endpoint that answers may be pushed to; may be given more than once')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How data is printed')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print data and errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print data and errors only')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more; twice for everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more; twice for everything')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('up', 'up', [CompletionResultType]::ParameterValue, 'Run the whole system in one process')
            [CompletionResult]::new('load', 'load', [CompletionResultType]::ParameterValue, 'Load products and discounts from files')
            [CompletionResult]::new('generate', 'generate', [CompletionResultType]::ParameterValue, 'Make large data files from a seed')
            [CompletionResult]::new('subscribe', 'subscribe', [CompletionResultType]::ParameterValue, 'Make users active, so that their price tables are kept warm')
            [CompletionResult]::new('unsubscribe', 'unsubscribe', [CompletionResultType]::ParameterValue, 'Let users expire now')
            [CompletionResult]::new('worker', 'worker', [CompletionResultType]::ParameterValue, 'Run one role in the foreground')
            [CompletionResult]::new('serve', 'serve', [CompletionResultType]::ParameterValue, 'Run the gateway: websockets, PUT /subscribe, /health')
            [CompletionResult]::new('quote', 'quote', [CompletionResultType]::ParameterValue, 'Ask for a quotation, or for many in a session')
            [CompletionResult]::new('quotation', 'quotation', [CompletionResultType]::ParameterValue, 'Show a past quotation')
            [CompletionResult]::new('prices', 'prices', [CompletionResultType]::ParameterValue, 'Show a user''s stored price table')
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'Show active users, tables, queues and dead letters')
            [CompletionResult]::new('dead-letters', 'dead-letters', [CompletionResultType]::ParameterValue, 'See to the messages that were given up')
            [CompletionResult]::new('backup', 'backup', [CompletionResultType]::ParameterValue, 'Copy the embedded store to a file while it is in use')
            [CompletionResult]::new('doctor', 'doctor', [CompletionResultType]::ParameterValue, 'Check that everything ocache needs is there and as it should be')
            [CompletionResult]::new('provision', 'provision', [CompletionResultType]::ParameterValue, 'Make the tables, queues and topic of a stack on AWS')
            [CompletionResult]::new('destroy', 'destroy', [CompletionResultType]::ParameterValue, 'Delete the tables, queues and topic of a stack on AWS, and all that is in them')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print a shell''s completion script')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'ocache;up' {
            [CompletionResult]::new('--port', '--port', [CompletionResultType]::ParameterName, 'Port of the gateway on loopback; 0 is any free one')
            [CompletionResult]::new('--ttl', '--ttl', [CompletionResultType]::ParameterName, 'How long a user stays active after a visit')
            [CompletionResult]::new('--refresh-every', '--refresh-every', [CompletionResultType]::ParameterName, 'The time between two scheduled calculations of an active user''s table')
            [CompletionResult]::new('--usable-for', '--usable-for', [CompletionResultType]::ParameterName, 'How long a table answers quotes when nothing refreshes it; at least three intervals')
            [CompletionResult]::new('--quote-within', '--quote-within', [CompletionResultType]::ParameterName, 'How long a quotation may take before it fails')
            [CompletionResult]::new('--refresh-slots', '--refresh-slots', [CompletionResultType]::ParameterName, 'Scheduled calculations in hand at most')
            [CompletionResult]::new('--urgent-slots', '--urgent-slots', [CompletionResultType]::ParameterName, 'Urgent calculations in hand at most; scheduled ones never take these slots')
            [CompletionResult]::new('--provider-slots', '--provider-slots', [CompletionResultType]::ParameterName, 'Quotations in hand at most')
            [CompletionResult]::new('--allow-origin', '--allow-origin', [CompletionResultType]::ParameterName, 'Origin of web pages that may use the gateway; may be given more than once')
            [CompletionResult]::new('--allow-host', '--allow-host', [CompletionResultType]::ParameterName, 'Name by which clients may call the gateway, beside localhost; may be given more than once')
            [CompletionResult]::new('--max-sockets', '--max-sockets', [CompletionResultType]::ParameterName, 'Open connections in all')
            [CompletionResult]::new('--max-sockets-per-address', '--max-sockets-per-address', [CompletionResultType]::ParameterName, 'Open websockets of one address')
            [CompletionResult]::new('--max-frames', '--max-frames', [CompletionResultType]::ParameterName, 'Frames a second of one websocket')
            [CompletionResult]::new('--max-frames-per-address', '--max-frames-per-address', [CompletionResultType]::ParameterName, 'Frames a second of one address')
            [CompletionResult]::new('--max-new-users-per-address', '--max-new-users-per-address', [CompletionResultType]::ParameterName, 'Users a minute that one address may make active')
            [CompletionResult]::new('--max-active-users', '--max-active-users', [CompletionResultType]::ParameterName, 'Users that may be active through the gateway at once')
            [CompletionResult]::new('--data-dir', '--data-dir', [CompletionResultType]::ParameterName, 'Folder of the embedded store [default: ocache/STACK in the user''s data folder]')
            [CompletionResult]::new('--backend', '--backend', [CompletionResultType]::ParameterName, 'Which engine holds tables and queues [default: embedded]')
            [CompletionResult]::new('--stack', '--stack', [CompletionResultType]::ParameterName, 'Prefix of all tables, queues and topics')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'AWS profile; implies --backend aws')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region; implies --backend aws')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'AWS endpoint, such as that of a local AWS; implies --backend aws')
            [CompletionResult]::new('--management-endpoint', '--management-endpoint', [CompletionResultType]::ParameterName, 'API Gateway management endpoint that answers may be pushed to; may be given more than once')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How data is printed')
            [CompletionResult]::new('--fresh', '--fresh', [CompletionResultType]::ParameterName, 'Begin with an empty store: everything that is in it is deleted')
            [CompletionResult]::new('--provision', '--provision', [CompletionResultType]::ParameterName, 'On AWS, make what is missing of the stack first')
            [CompletionResult]::new('--active-from-second-visit', '--active-from-second-visit', [CompletionResultType]::ParameterName, 'Keep a user''s table warm only from the second visit on')
            [CompletionResult]::new('--limit-loopback', '--limit-loopback', [CompletionResultType]::ParameterName, 'Limit clients of this machine by address too')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print data and errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print data and errors only')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more; twice for everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more; twice for everything')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'ocache;load' {
            [CompletionResult]::new('--currency', '--currency', [CompletionResultType]::ParameterName, 'Currency of the prices [default: that of the stored prices, else USD]')
            [CompletionResult]::new('--data-dir', '--data-dir', [CompletionResultType]::ParameterName, 'Folder of the embedded store [default: ocache/STACK in the user''s data folder]')
            [CompletionResult]::new('--backend', '--backend', [CompletionResultType]::ParameterName, 'Which engine holds tables and queues [default: embedded]')
            [CompletionResult]::new('--stack', '--stack', [CompletionResultType]::ParameterName, 'Prefix of all tables, queues and topics')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'AWS profile; implies --backend aws')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region; implies --backend aws')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'AWS endpoint, such as that of a local AWS; implies --backend aws')
            [CompletionResult]::new('--management-endpoint', '--management-endpoint', [CompletionResultType]::ParameterName, 'API Gateway management endpoint that answers may be pushed to; may be given more than once')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How data is printed')
            [CompletionResult]::new('--prune', '--prune', [CompletionResultType]::ParameterName, 'Remove stored products that the files do not name; the same for users'' discounts')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print data and errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print data and errors only')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more; twice for everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more; twice for everything')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'ocache;generate' {
            [CompletionResult]::new('--seed', '--seed', [CompletionResultType]::ParameterName, 'The same seed makes the same files')
            [CompletionResult]::new('--products', '--products', [CompletionResultType]::ParameterName, 'How many products')
            [CompletionResult]::new('--users', '--users', [CompletionResultType]::ParameterName, 'How many users with discounts')
            [CompletionResult]::new('--discounts', '--discounts', [CompletionResultType]::ParameterName, 'How many discounts each of them has')
            [CompletionResult]::new('--currency', '--currency', [CompletionResultType]::ParameterName, 'Currency of the prices')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Form of the files')
            [CompletionResult]::new('--data-dir', '--data-dir', [CompletionResultType]::ParameterName, 'Folder of the embedded store [default: ocache/STACK in the user''s data folder]')
            [CompletionResult]::new('--backend', '--backend', [CompletionResultType]::ParameterName, 'Which engine holds tables and queues [default: embedded]')
            [CompletionResult]::new('--stack', '--stack', [CompletionResultType]::ParameterName, 'Prefix of all tables, queues and topics')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'AWS profile; implies --backend aws')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region; implies --backend aws')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'AWS endpoint, such as that of a local AWS; implies --backend aws')
            [CompletionResult]::new('--management-endpoint', '--management-endpoint', [CompletionResultType]::ParameterName, 'API Gateway management endpoint that answers may be pushed to; may be given more than once')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How data is printed')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Overwrite files that are there')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print data and errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print data and errors only')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more; twice for everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more; twice for everything')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'ocache;subscribe' {
            [CompletionResult]::new('--ttl', '--ttl', [CompletionResultType]::ParameterName, 'How long they stay active')
            [CompletionResult]::new('--data-dir', '--data-dir', [CompletionResultType]::ParameterName, 'Folder of the embedded store [default: ocache/STACK in the user''s data folder]')
            [CompletionResult]::new('--backend', '--backend', [CompletionResultType]::ParameterName, 'Which engine holds tables and queues [default: embedded]')
            [CompletionResult]::new('--stack', '--stack', [CompletionResultType]::ParameterName, 'Prefix of all tables, queues and topics')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'AWS profile; implies --backend aws')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region; implies --backend aws')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'AWS endpoint, such as that of a local AWS; implies --backend aws')
            [CompletionResult]::new('--management-endpoint', '--management-endpoint', [CompletionResultType]::ParameterName, 'API Gateway management endpoint that answers may be pushed to; may be given more than once')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How data is printed')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print data and errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print data and errors only')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more; twice for everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more; twice for everything')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'ocache;unsubscribe' {
            [CompletionResult]::new('--data-dir', '--data-dir', [CompletionResultType]::ParameterName, 'Folder of the embedded store [default: ocache/STACK in the user''s data folder]')
            [CompletionResult]::new('--backend', '--backend', [CompletionResultType]::ParameterName, 'Which engine holds tables and queues [default: embedded]')
            [CompletionResult]::new('--stack', '--stack', [CompletionResultType]::ParameterName, 'Prefix of all tables, queues and topics')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'AWS profile; implies --backend aws')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region; implies --backend aws')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'AWS endpoint, such as that of a local AWS; implies --backend aws')
            [CompletionResult]::new('--management-endpoint', '--management-endpoint', [CompletionResultType]::ParameterName, 'API Gateway management endpoint that answers may be pushed to; may be given more than once')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How data is printed')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print data and errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print data and errors only')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more; twice for everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more; twice for everything')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'ocache;worker' {
            [CompletionResult]::new('--ttl', '--ttl', [CompletionResultType]::ParameterName, 'How long a user stays active after a visit')
            [CompletionResult]::new('--refresh-every', '--refresh-every', [CompletionResultType]::ParameterName, 'The time between two scheduled calculations of an active user''s table')
            [CompletionResult]::new('--usable-for', '--usable-for', [CompletionResultType]::ParameterName, 'How long a table answers quotes when nothing refreshes it; at least three intervals')
            [CompletionResult]::new('--quote-within', '--quote-within', [CompletionResultType]::ParameterName, 'How long a quotation may take before it fails')
            [CompletionResult]::new('--refresh-slots', '--refresh-slots', [CompletionResultType]::ParameterName, 'Scheduled calculations in hand at most')
            [CompletionResult]::new('--urgent-slots', '--urgent-slots', [CompletionResultType]::ParameterName, 'Urgent calculations in hand at most; scheduled ones never take these slots')
            [CompletionResult]::new('--provider-slots', '--provider-slots', [CompletionResultType]::ParameterName, 'Quotations in hand at most')
            [CompletionResult]::new('--data-dir', '--data-dir', [CompletionResultType]::ParameterName, 'Folder of the embedded store [default: ocache/STACK in the user''s data folder]')
            [CompletionResult]::new('--backend', '--backend', [CompletionResultType]::ParameterName, 'Which engine holds tables and queues [default: embedded]')
            [CompletionResult]::new('--stack', '--stack', [CompletionResultType]::ParameterName, 'Prefix of all tables, queues and topics')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'AWS profile; implies --backend aws')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region; implies --backend aws')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'AWS endpoint, such as that of a local AWS; implies --backend aws')
            [CompletionResult]::new('--management-endpoint', '--management-endpoint', [CompletionResultType]::ParameterName, 'API Gateway management endpoint that answers may be pushed to; may be given more than once')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How data is printed')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print data and errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print data and errors only')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more; twice for everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more; twice for everything')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'ocache;serve' {
            [CompletionResult]::new('--port', '--port', [CompletionResultType]::ParameterName, 'Port of the gateway on loopback; 0 is any free one')
            [CompletionResult]::new('--ttl', '--ttl', [CompletionResultType]::ParameterName, 'How long a user stays active after a visit')
            [CompletionResult]::new('--refresh-every', '--refresh-every', [CompletionResultType]::ParameterName, 'The time between two scheduled calculations of an active user''s table')
            [CompletionResult]::new('--usable-for', '--usable-for', [CompletionResultType]::ParameterName, 'How long a table answers quotes when nothing refreshes it; at least three intervals')
            [CompletionResult]::new('--quote-within', '--quote-within', [CompletionResultType]::ParameterName, 'How long a quotation may take before it fails')
            [CompletionResult]::new('--allow-origin', '--allow-origin', [CompletionResultType]::ParameterName, 'Origin of web pages that may use the gateway; may be given more than once')
            [CompletionResult]::new('--allow-host', '--allow-host', [CompletionResultType]::ParameterName, 'Name by which clients may call the gateway, beside localhost; may be given more than once')
            [CompletionResult]::new('--max-sockets', '--max-sockets', [CompletionResultType]::ParameterName, 'Open connections in all')
            [CompletionResult]::new('--max-sockets-per-address', '--max-sockets-per-address', [CompletionResultType]::ParameterName, 'Open websockets of one address')
            [CompletionResult]::new('--max-frames', '--max-frames', [CompletionResultType]::ParameterName, 'Frames a second of one websocket')
            [CompletionResult]::new('--max-frames-per-address', '--max-frames-per-address', [CompletionResultType]::ParameterName, 'Frames a second of one address')
            [CompletionResult]::new('--max-new-users-per-address', '--max-new-users-per-address', [CompletionResultType]::ParameterName, 'Users a minute that one address may make active')
            [CompletionResult]::new('--max-active-users', '--max-active-users', [CompletionResultType]::ParameterName, 'Users that may be active through the gateway at once')
            [CompletionResult]::new('--data-dir', '--data-dir', [CompletionResultType]::ParameterName, 'Folder of the embedded store [default: ocache/STACK in the user''s data folder]')
            [CompletionResult]::new('--backend', '--backend', [CompletionResultType]::ParameterName, 'Which engine holds tables and queues [default: embedded]')
            [CompletionResult]::new('--stack', '--stack', [CompletionResultType]::ParameterName, 'Prefix of all tables, queues and topics')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'AWS profile; implies --backend aws')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region; implies --backend aws')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'AWS endpoint, such as that of a local AWS; implies --backend aws')
            [CompletionResult]::new('--management-endpoint', '--management-endpoint', [CompletionResultType]::ParameterName, 'API Gateway management endpoint that answers may be pushed to; may be given more than once')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How data is printed')
            [CompletionResult]::new('--with-provider', '--with-provider', [CompletionResultType]::ParameterName, 'Answer quotations as well, without a worker for it')
            [CompletionResult]::new('--active-from-second-visit', '--active-from-second-visit', [CompletionResultType]::ParameterName, 'Keep a user''s table warm only from the second visit on')
            [CompletionResult]::new('--limit-loopback', '--limit-loopback', [CompletionResultType]::ParameterName, 'Limit clients of this machine by address too')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print data and errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print data and errors only')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more; twice for everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more; twice for everything')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'ocache;quote' {
            [CompletionResult]::new('--client', '--client', [CompletionResultType]::ParameterName, 'Whose prices')
            [CompletionResult]::new('--user', '--user', [CompletionResultType]::ParameterName, 'Whose prices')
            [CompletionResult]::new('--url', '--url', [CompletionResultType]::ParameterName, 'Websocket to use instead of this store''s gateway')
            [CompletionResult]::new('--request-id', '--request-id', [CompletionResultType]::ParameterName, 'Name of the quote, to repeat it safely [default: made by ocache]')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long to wait for the answer')
            [CompletionResult]::new('--ttl', '--ttl', [CompletionResultType]::ParameterName, 'How long a user stays active after a visit')
            [CompletionResult]::new('--refresh-every', '--refresh-every', [CompletionResultType]::ParameterName, 'The time between two scheduled calculations of an active user''s table')
            [CompletionResult]::new('--usable-for', '--usable-for', [CompletionResultType]::ParameterName, 'How long a table answers quotes when nothing refreshes it; at least three intervals')
            [CompletionResult]::new('--quote-within', '--quote-within', [CompletionResultType]::ParameterName, 'How long a quotation may take before it fails')
            [CompletionResult]::new('--data-dir', '--data-dir', [CompletionResultType]::ParameterName, 'Folder of the embedded store [default: ocache/STACK in the user''s data folder]')
            [CompletionResult]::new('--backend', '--backend', [CompletionResultType]::ParameterName, 'Which engine holds tables and queues [default: embedded]')
            [CompletionResult]::new('--stack', '--stack', [CompletionResultType]::ParameterName, 'Prefix of all tables, queues and topics')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'AWS profile; implies --backend aws')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region; implies --backend aws')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'AWS endpoint, such as that of a local AWS; implies --backend aws')
            [CompletionResult]::new('--management-endpoint', '--management-endpoint', [CompletionResultType]::ParameterName, 'API Gateway management endpoint that answers may be pushed to; may be given more than once')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How data is printed')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print data and errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print data and errors only')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more; twice for everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more; twice for everything')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'ocache;quotation' {
            [CompletionResult]::new('--client', '--client', [CompletionResultType]::ParameterName, 'Whose quotation; needed for ids that the client chose')
            [CompletionResult]::new('--user', '--user', [CompletionResultType]::ParameterName, 'Whose quotation; needed for ids that the client chose')
            [CompletionResult]::new('--data-dir', '--data-dir', [CompletionResultType]::ParameterName, 'Folder of the embedded store [default: ocache/STACK in the user''s data folder]')
            [CompletionResult]::new('--backend', '--backend', [CompletionResultType]::ParameterName, 'Which engine holds tables and queues [default: embedded]')
            [CompletionResult]::new('--stack', '--stack', [CompletionResultType]::ParameterName, 'Prefix of all tables, queues and topics')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'AWS profile; implies --backend aws')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region; implies --backend aws')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'AWS endpoint, such as that of a local AWS; implies --backend aws')
            [CompletionResult]::new('--management-endpoint', '--management-endpoint', [CompletionResultType]::ParameterName, 'API Gateway management endpoint that answers may be pushed to; may be given more than once')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How data is printed')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print data and errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print data and errors only')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more; twice for everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more; twice for everything')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'ocache;prices' {
            [CompletionResult]::new('--product', '--product', [CompletionResultType]::ParameterName, 'Only this product; may be given more than once')
            [CompletionResult]::new('--data-dir', '--data-dir', [CompletionResultType]::ParameterName, 'Folder of the embedded store [default: ocache/STACK in the user''s data folder]')
            [CompletionResult]::new('--backend', '--backend', [CompletionResultType]::ParameterName, 'Which engine holds tables and queues [default: embedded]')
            [CompletionResult]::new('--stack', '--stack', [CompletionResultType]::ParameterName, 'Prefix of all tables, queues and topics')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'AWS profile; implies --backend aws')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region; implies --backend aws')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'AWS endpoint, such as that of a local AWS; implies --backend aws')
            [CompletionResult]::new('--management-endpoint', '--management-endpoint', [CompletionResultType]::ParameterName, 'API Gateway management endpoint that answers may be pushed to; may be given more than once')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How data is printed')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print data and errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print data and errors only')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more; twice for everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more; twice for everything')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'ocache;status' {
            [CompletionResult]::new('--data-dir', '--data-dir', [CompletionResultType]::ParameterName, 'Folder of the embedded store [default: ocache/STACK in the user''s data folder]')
            [CompletionResult]::new('--backend', '--backend', [CompletionResultType]::ParameterName, 'Which engine holds tables and queues [default: embedded]')
            [CompletionResult]::new('--stack', '--stack', [CompletionResultType]::ParameterName, 'Prefix of all tables, queues and topics')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'AWS profile; implies --backend aws')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region; implies --backend aws')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'AWS endpoint, such as that of a local AWS; implies --backend aws')
            [CompletionResult]::new('--management-endpoint', '--management-endpoint', [CompletionResultType]::ParameterName, 'API Gateway management endpoint that answers may be pushed to; may be given more than once')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How data is printed')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print data and errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print data and errors only')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more; twice for everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more; twice for everything')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'ocache;dead-letters' {
            [CompletionResult]::new('--data-dir', '--data-dir', [CompletionResultType]::ParameterName, 'Folder of the embedded store [default: ocache/STACK in the user''s data folder]')
            [CompletionResult]::new('--backend', '--backend', [CompletionResultType]::ParameterName, 'Which engine holds tables and queues [default: embedded]')
            [CompletionResult]::new('--stack', '--stack', [CompletionResultType]::ParameterName, 'Prefix of all tables, queues and topics')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'AWS profile; implies --backend aws')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region; implies --backend aws')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'AWS endpoint, such as that of a local AWS; implies --backend aws')
            [CompletionResult]::new('--management-endpoint', '--management-endpoint', [CompletionResultType]::ParameterName, 'API Gateway management endpoint that answers may be pushed to; may be given more than once')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How data is printed')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print data and errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print data and errors only')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more; twice for everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more; twice for everything')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List them')
            [CompletionResult]::new('show', 'show', [CompletionResultType]::ParameterValue, 'Show one whole')
            [CompletionResult]::new('redrive', 'redrive', [CompletionResultType]::ParameterValue, 'Send them to their queue again')
            [CompletionResult]::new('drop', 'drop', [CompletionResultType]::ParameterValue, 'Delete them')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'ocache;dead-letters;list' {
            [CompletionResult]::new('--queue', '--queue', [CompletionResultType]::ParameterName, 'Only those of this queue')
            [CompletionResult]::new('--limit', '--limit', [CompletionResultType]::ParameterName, 'So many of each queue at most')
            [CompletionResult]::new('--data-dir', '--data-dir', [CompletionResultType]::ParameterName, 'Folder of the embedded store [default: ocache/STACK in the user''s data folder]')
            [CompletionResult]::new('--backend', '--backend', [CompletionResultType]::ParameterName, 'Which engine holds tables and queues [default: embedded]')
            [CompletionResult]::new('--stack', '--stack', [CompletionResultType]::ParameterName, 'Prefix of all tables, queues and topics')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'AWS profile; implies --backend aws')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region; implies --backend aws')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'AWS endpoint, such as that of a local AWS; implies --backend aws')
            [CompletionResult]::new('--management-endpoint', '--management-endpoint', [CompletionResultType]::ParameterName, 'API Gateway management endpoint that answers may be pushed to; may be given more than once')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How data is printed')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print data and errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print data and errors only')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more; twice for everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more; twice for everything')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'ocache;dead-letters;show' {
            [CompletionResult]::new('--data-dir', '--data-dir', [CompletionResultType]::ParameterName, 'Folder of the embedded store [default: ocache/STACK in the user''s data folder]')
            [CompletionResult]::new('--backend', '--backend', [CompletionResultType]::ParameterName, 'Which engine holds tables and queues [default: embedded]')
            [CompletionResult]::new('--stack', '--stack', [CompletionResultType]::ParameterName, 'Prefix of all tables, queues and topics')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'AWS profile; implies --backend aws')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region; implies --backend aws')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'AWS endpoint, such as that of a local AWS; implies --backend aws')
            [CompletionResult]::new('--management-endpoint', '--management-endpoint', [CompletionResultType]::ParameterName, 'API Gateway management endpoint that answers may be pushed to; may be given more than once')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How data is printed')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print data and errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print data and errors only')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more; twice for everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more; twice for everything')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'ocache;dead-letters;redrive' {
            [CompletionResult]::new('--queue', '--queue', [CompletionResultType]::ParameterName, 'Only those of this queue')
            [CompletionResult]::new('--data-dir', '--data-dir', [CompletionResultType]::ParameterName, 'Folder of the embedded store [default: ocache/STACK in the user''s data folder]')
            [CompletionResult]::new('--backend', '--backend', [CompletionResultType]::ParameterName, 'Which engine holds tables and queues [default: embedded]')
            [CompletionResult]::new('--stack', '--stack', [CompletionResultType]::ParameterName, 'Prefix of all tables, queues and topics')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'AWS profile; implies --backend aws')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region; implies --backend aws')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'AWS endpoint, such as that of a local AWS; implies --backend aws')
            [CompletionResult]::new('--management-endpoint', '--management-endpoint', [CompletionResultType]::ParameterName, 'API Gateway management endpoint that answers may be pushed to; may be given more than once')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How data is printed')
            [CompletionResult]::new('--all', '--all', [CompletionResultType]::ParameterName, 'Every one')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print data and errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print data and errors only')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more; twice for everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more; twice for everything')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'ocache;dead-letters;drop' {
            [CompletionResult]::new('--queue', '--queue', [CompletionResultType]::ParameterName, 'Only those of this queue')
            [CompletionResult]::new('--data-dir', '--data-dir', [CompletionResultType]::ParameterName, 'Folder of the embedded store [default: ocache/STACK in the user''s data folder]')
            [CompletionResult]::new('--backend', '--backend', [CompletionResultType]::ParameterName, 'Which engine holds tables and queues [default: embedded]')
            [CompletionResult]::new('--stack', '--stack', [CompletionResultType]::ParameterName, 'Prefix of all tables, queues and topics')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'AWS profile; implies --backend aws')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region; implies --backend aws')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'AWS endpoint, such as that of a local AWS; implies --backend aws')
            [CompletionResult]::new('--management-endpoint', '--management-endpoint', [CompletionResultType]::ParameterName, 'API Gateway management endpoint that answers may be pushed to; may be given more than once')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How data is printed')
            [CompletionResult]::new('--all', '--all', [CompletionResultType]::ParameterName, 'Every one')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print data and errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print data and errors only')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more; twice for everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more; twice for everything')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'ocache;dead-letters;help' {
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List them')
            [CompletionResult]::new('show', 'show', [CompletionResultType]::ParameterValue, 'Show one whole')
            [CompletionResult]::new('redrive', 'redrive', [CompletionResultType]::ParameterValue, 'Send them to their queue again')
            [CompletionResult]::new('drop', 'drop', [CompletionResultType]::ParameterValue, 'Delete them')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'ocache;dead-letters;help;list' {
            break
        }
        'ocache;dead-letters;help;show' {
            break
        }
        'ocache;dead-letters;help;redrive' {
            break
        }
        'ocache;dead-letters;help;drop' {
            break
        }
        'ocache;dead-letters;help;help' {
            break
        }
        'ocache;backup' {
            [CompletionResult]::new('--data-dir', '--data-dir', [CompletionResultType]::ParameterName, 'Folder of the embedded store [default: ocache/STACK in the user''s data folder]')
            [CompletionResult]::new('--backend', '--backend', [CompletionResultType]::ParameterName, 'Which engine holds tables and queues [default: embedded]')
            [CompletionResult]::new('--stack', '--stack', [CompletionResultType]::ParameterName, 'Prefix of all tables, queues and topics')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'AWS profile; implies --backend aws')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region; implies --backend aws')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'AWS endpoint, such as that of a local AWS; implies --backend aws')
            [CompletionResult]::new('--management-endpoint', '--management-endpoint', [CompletionResultType]::ParameterName, 'API Gateway management endpoint that answers may be pushed to; may be given more than once')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How data is printed')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print data and errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print data and errors only')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more; twice for everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more; twice for everything')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'ocache;doctor' {
            [CompletionResult]::new('--data-dir', '--data-dir', [CompletionResultType]::ParameterName, 'Folder of the embedded store [default: ocache/STACK in the user''s data folder]')
            [CompletionResult]::new('--backend', '--backend', [CompletionResultType]::ParameterName, 'Which engine holds tables and queues [default: embedded]')
            [CompletionResult]::new('--stack', '--stack', [CompletionResultType]::ParameterName, 'Prefix of all tables, queues and topics')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'AWS profile; implies --backend aws')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region; implies --backend aws')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'AWS endpoint, such as that of a local AWS; implies --backend aws')
            [CompletionResult]::new('--management-endpoint', '--management-endpoint', [CompletionResultType]::ParameterName, 'API Gateway management endpoint that answers may be pushed to; may be given more than once')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How data is printed')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print data and errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print data and errors only')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more; twice for everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more; twice for everything')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'ocache;provision' {
            [CompletionResult]::new('--data-dir', '--data-dir', [CompletionResultType]::ParameterName, 'Folder of the embedded store [default: ocache/STACK in the user''s data folder]')
            [CompletionResult]::new('--backend', '--backend', [CompletionResultType]::ParameterName, 'Which engine holds tables and queues [default: embedded]')
            [CompletionResult]::new('--stack', '--stack', [CompletionResultType]::ParameterName, 'Prefix of all tables, queues and topics')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'AWS profile; implies --backend aws')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region; implies --backend aws')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'AWS endpoint, such as that of a local AWS; implies --backend aws')
            [CompletionResult]::new('--management-endpoint', '--management-endpoint', [CompletionResultType]::ParameterName, 'API Gateway management endpoint that answers may be pushed to; may be given more than once')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How data is printed')
            [CompletionResult]::new('--fix', '--fix', [CompletionResultType]::ParameterName, 'Also set what differs')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Only say what would be done')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Do not ask')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print data and errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print data and errors only')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more; twice for everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more; twice for everything')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'ocache;destroy' {
            [CompletionResult]::new('--data-dir', '--data-dir', [CompletionResultType]::ParameterName, 'Folder of the embedded store [default: ocache/STACK in the user''s data folder]')
            [CompletionResult]::new('--backend', '--backend', [CompletionResultType]::ParameterName, 'Which engine holds tables and queues [default: embedded]')
            [CompletionResult]::new('--stack', '--stack', [CompletionResultType]::ParameterName, 'Prefix of all tables, queues and topics')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'AWS profile; implies --backend aws')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region; implies --backend aws')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'AWS endpoint, such as that of a local AWS; implies --backend aws')
            [CompletionResult]::new('--management-endpoint', '--management-endpoint', [CompletionResultType]::ParameterName, 'API Gateway management endpoint that answers may be pushed to; may be given more than once')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How data is printed')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Only say what would be deleted')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Do not ask')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print data and errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print data and errors only')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more; twice for everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more; twice for everything')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'ocache;completions' {
            [CompletionResult]::new('--data-dir', '--data-dir', [CompletionResultType]::ParameterName, 'Folder of the embedded store [default: ocache/STACK in the user''s data folder]')
            [CompletionResult]::new('--backend', '--backend', [CompletionResultType]::ParameterName, 'Which engine holds tables and queues [default: embedded]')
            [CompletionResult]::new('--stack', '--stack', [CompletionResultType]::ParameterName, 'Prefix of all tables, queues and topics')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'AWS profile; implies --backend aws')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'AWS region; implies --backend aws')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'AWS endpoint, such as that of a local AWS; implies --backend aws')
            [CompletionResult]::new('--management-endpoint', '--management-endpoint', [CompletionResultType]::ParameterName, 'API Gateway management endpoint that answers may be pushed to; may be given more than once')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How data is printed')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print data and errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print data and errors only')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more; twice for everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more; twice for everything')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'ocache;help' {
            [CompletionResult]::new('up', 'up', [CompletionResultType]::ParameterValue, 'Run the whole system in one process')
            [CompletionResult]::new('load', 'load', [CompletionResultType]::ParameterValue, 'Load products and discounts from files')
            [CompletionResult]::new('generate', 'generate', [CompletionResultType]::ParameterValue, 'Make large data files from a seed')
            [CompletionResult]::new('subscribe', 'subscribe', [CompletionResultType]::ParameterValue, 'Make users active, so that their price tables are kept warm')
            [CompletionResult]::new('unsubscribe', 'unsubscribe', [CompletionResultType]::ParameterValue, 'Let users expire now')
            [CompletionResult]::new('worker', 'worker', [CompletionResultType]::ParameterValue, 'Run one role in the foreground')
            [CompletionResult]::new('serve', 'serve', [CompletionResultType]::ParameterValue, 'Run the gateway: websockets, PUT /subscribe, /health')
            [CompletionResult]::new('quote', 'quote', [CompletionResultType]::ParameterValue, 'Ask for a quotation, or for many in a session')
            [CompletionResult]::new('quotation', 'quotation', [CompletionResultType]::ParameterValue, 'Show a past quotation')
            [CompletionResult]::new('prices', 'prices', [CompletionResultType]::ParameterValue, 'Show a user''s stored price table')
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'Show active users, tables, queues and dead letters')
            [CompletionResult]::new('dead-letters', 'dead-letters', [CompletionResultType]::ParameterValue, 'See to the messages that were given up')
            [CompletionResult]::new('backup', 'backup', [CompletionResultType]::ParameterValue, 'Copy the embedded store to a file while it is in use')
            [CompletionResult]::new('doctor', 'doctor', [CompletionResultType]::ParameterValue, 'Check that everything ocache needs is there and as it should be')
            [CompletionResult]::new('provision', 'provision', [CompletionResultType]::ParameterValue, 'Make the tables, queues and topic of a stack on AWS')
            [CompletionResult]::new('destroy', 'destroy', [CompletionResultType]::ParameterValue, 'Delete the tables, queues and topic of a stack on AWS, and all that is in them')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print a shell''s completion script')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'ocache;help;up' {
            break
        }
        'ocache;help;load' {
            break
        }
        'ocache;help;generate' {
            break
        }
        'ocache;help;subscribe' {
            break
        }
        'ocache;help;unsubscribe' {
            break
        }
        'ocache;help;worker' {
            break
        }
        'ocache;help;serve' {
            break
        }
        'ocache;help;quote' {
            break
        }
        'ocache;help;quotation' {
            break
        }
        'ocache;help;prices' {
            break
        }
        'ocache;help;status' {
            break
        }
        'ocache;help;dead-letters' {
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List them')
            [CompletionResult]::new('show', 'show', [CompletionResultType]::ParameterValue, 'Show one whole')
            [CompletionResult]::new('redrive', 'redrive', [CompletionResultType]::ParameterValue, 'Send them to their queue again')
            [CompletionResult]::new('drop', 'drop', [CompletionResultType]::ParameterValue, 'Delete them')
            break
        }
        'ocache;help;dead-letters;list' {
            break
        }
        'ocache;help;dead-letters;show' {
            break
        }
        'ocache;help;dead-letters;redrive' {
            break
        }
        'ocache;help;dead-letters;drop' {
            break
        }
        'ocache;help;backup' {
            break
        }
        'ocache;help;doctor' {
            break
        }
        'ocache;help;provision' {
            break
        }
        'ocache;help;destroy' {
            break
        }
        'ocache;help;completions' {
            break
        }
        'ocache;help;help' {
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
