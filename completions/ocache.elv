
use builtin;
use str;

set edit:completion:arg-completer[ocache] = {|@words|
    fn spaces {|n|
        builtin:repeat $n ' ' | str:join ''
    }
    fn cand {|text desc|
        edit:complex-candidate $text &display=$text' '(spaces (- 14 (wcswidth $text)))$desc
    }
    var command = 'ocache'
    for word $words[1..-1] {
        if (str:has-prefix $word '-') {
            break
        }
        set command = $command';'$word
    }
    var completions = [
        &'ocache'= {
            cand --data-dir 'Folder of the embedded store [default: ocache/STACK in the user''s data folder]'
            cand --backend 'Which engine holds tables and queues [default: embedded]'
            cand --stack 'Prefix of all tables, queues and topics'
            cand --profile 'AWS profile; implies --backend aws'
            cand --region 'AWS region; implies --backend aws'
            cand --endpoint-url 'AWS endpoint, such as that of a local AWS; implies --backend aws'
            cand --management-endpoint 'API Gateway management endpoint that answers may be pushed to; may be given more than once'
            cand --output 'How data is printed'
            cand -q 'Print data and errors only'
            cand --quiet 'Print data and errors only'
            cand -v 'Log more; twice for everything'
            cand --verbose 'Log more; twice for everything'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
            cand up 'Run the whole system in one process'
            cand load 'Load products and discounts from files'
            cand generate 'Make large data files from a seed'
            cand subscribe 'Make users active, so that their price tables are kept warm'
            cand unsubscribe 'Let users expire now'
            cand worker 'Run one role in the foreground'
            cand serve 'Run the gateway: websockets, PUT /subscribe, /health'
            cand quote 'Ask for a quotation, or for many in a session'
            cand quotation 'Show a past quotation'
            cand prices 'Show a user''s stored price table'
            cand status 'Show active users, tables, queues and dead letters'
            cand dead-letters 'See to the messages that were given up'
            cand backup 'Copy the embedded store to a file while it is in use'
            cand doctor 'Check that everything ocache needs is there and as it should be'
            cand provision 'Make the tables, queues and topic of a stack on AWS'
            cand destroy 'Delete the tables, queues and topic of a stack on AWS, and all that is in them'
            cand completions 'Print a shell''s completion script'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'ocache;up'= {
            cand --port 'Port of the gateway on loopback; 0 is any free one'
            cand --ttl 'How long a user stays active after a visit'
            cand --refresh-every 'The time between two scheduled calculations of an active user''s table'
            cand --usable-for 'How long a table answers quotes when nothing refreshes it; at least three intervals'
            cand --quote-within 'How long a quotation may take before it fails'
            cand --refresh-slots 'Scheduled calculations in hand at most'
            cand --urgent-slots 'Urgent calculations in hand at most; scheduled ones never take these slots'
            cand --provider-slots 'Quotations in hand at most'
            cand --allow-origin 'Origin of web pages that may use the gateway; may be given more than once'
            cand --allow-host 'Name by which clients may call the gateway, beside localhost; may be given more than once'
            cand --max-sockets 'Open connections in all'
            cand --max-sockets-per-address 'Open websockets of one address'
            cand --max-frames 'Frames a second of one websocket'
            cand --max-frames-per-address 'Frames a second of one address'
            cand --max-new-users-per-address 'Users a minute that one address may make active'
            cand --max-active-users 'Users that may be active through the gateway at once'
            cand --data-dir 'Folder of the embedded store [default: ocache/STACK in the user''s data folder]'
            cand --backend 'Which engine holds tables and queues [default: embedded]'
            cand --stack 'Prefix of all tables, queues and topics'
            cand --profile 'AWS profile; implies --backend aws'
            cand --region 'AWS region; implies --backend aws'
            cand --endpoint-url 'AWS endpoint, such as that of a local AWS; implies --backend aws'
            cand --management-endpoint 'API Gateway management endpoint that answers may be pushed to; may be given more than once'
            cand --output 'How data is printed'
            cand --fresh 'Begin with an empty store: everything that is in it is deleted'
            cand --provision 'On AWS, make what is missing of the stack first'
            cand --active-from-second-visit 'Keep a user''s table warm only from the second visit on'
            cand --limit-loopback 'Limit clients of this machine by address too'
            cand -q 'Print data and errors only'
            cand --quiet 'Print data and errors only'
            cand -v 'Log more; twice for everything'
            cand --verbose 'Log more; twice for everything'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'ocache;load'= {
            cand --currency 'Currency of the prices [default: that of the stored prices, else USD]'
            cand --data-dir 'Folder of the embedded store [default: ocache/STACK in the user''s data folder]'
            cand --backend 'Which engine holds tables and queues [default: embedded]'
            cand --stack 'Prefix of all tables, queues and topics'
            cand --profile 'AWS profile; implies --backend aws'
            cand --region 'AWS region; implies --backend aws'
            cand --endpoint-url 'AWS endpoint, such as that of a local AWS; implies --backend aws'
            cand --management-endpoint 'API Gateway management endpoint that answers may be pushed to; may be given more than once'
            cand --output 'How data is printed'
            cand --prune 'Remove stored products that the files do not name; the same for users'' discounts'
            cand -q 'Print data and errors only'
            cand --quiet 'Print data and errors only'
            cand -v 'Log more; twice for everything'
            cand --verbose 'Log more; twice for everything'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'ocache;generate'= {
            cand --seed 'The same seed makes the same files'
            cand --products 'How many products'
            cand --users 'How many users with discounts'
            cand --discounts 'How many discounts each of them has'
            cand --currency 'Currency of the prices'
            cand --format 'Form of the files'
            cand --data-dir 'Folder of the embedded store [default: ocache/STACK in the user''s data folder]'
            cand --backend 'Which engine holds tables and queues [default: embedded]'
            cand --stack 'Prefix of all tables, queues and topics'
            cand --profile 'AWS profile; implies --backend aws'
            cand --region 'AWS region; implies --backend aws'
            cand --endpoint-url 'AWS endpoint, such as that of a local AWS; implies --backend aws'
            cand --management-endpoint 'API Gateway management endpoint that answers may be pushed to; may be given more than once'
            cand --output 'How data is printed'
            cand --force 'Overwrite files that are there'
            cand -q 'Print data and errors only'
            cand --quiet 'Print data and errors only'
            cand -v 'Log more; twice for everything'
            cand --verbose 'Log more; twice for everything'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'ocache;subscribe'= {
            cand --ttl 'How long they stay active'
            cand --data-dir 'Folder of the embedded store [default: ocache/STACK in the user''s data folder]'
            cand --backend 'Which engine holds tables and queues [default: embedded]'
            cand --stack 'Prefix of all tables, queues and topics'
            cand --profile 'AWS profile; implies --backend aws'
            cand --region 'AWS region; implies --backend aws'
            cand --endpoint-url 'AWS endpoint, such as that of a local AWS; implies --backend aws'
            cand --management-endpoint 'API Gateway management endpoint that answers may be pushed to; may be given more than once'
            cand --output 'How data is printed'
            cand -q 'Print data and errors only'
            cand --quiet 'Print data and errors only'
            cand -v 'Log more; twice for everything'
            cand --verbose 'Log more; twice for everything'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'ocache;unsubscribe'= {
            cand --data-dir 'Folder of the embedded store [default: ocache/STACK in the user''s data folder]'
            cand --backend 'Which engine holds tables and queues [default: embedded]'
            cand --stack 'Prefix of all tables, queues and topics'
            cand --profile 'AWS profile; implies --backend aws'
            cand --region 'AWS region; implies --backend aws'
            cand --endpoint-url 'AWS endpoint, such as that of a local AWS; implies --backend aws'
            cand --management-endpoint 'API Gateway management endpoint that answers may be pushed to; may be given more than once'
            cand --output 'How data is printed'
            cand -q 'Print data and errors only'
            cand --quiet 'Print data and errors only'
            cand -v 'Log more; twice for everything'
            cand --verbose 'Log more; twice for everything'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'ocache;worker'= {
            cand --ttl 'How long a user stays active after a visit'
            cand --refresh-every 'The time between two scheduled calculations of an active user''s table'
            cand --usable-for 'How long a table answers quotes when nothing refreshes it; at least three intervals'
            cand --quote-within 'How long a quotation may take before it fails'
            cand --refresh-slots 'Scheduled calculations in hand at most'
            cand --urgent-slots 'Urgent calculations in hand at most; scheduled ones never take these slots'
            cand --provider-slots 'Quotations in hand at most'
            cand --data-dir 'Folder of the embedded store [default: ocache/STACK in the user''s data folder]'
            cand --backend 'Which engine holds tables and queues [default: embedded]'
            cand --stack 'Prefix of all tables, queues and topics'
            cand --profile 'AWS profile; implies --backend aws'
            cand --region 'AWS region; implies --backend aws'
            cand --endpoint-url 'AWS endpoint, such as that of a local AWS; implies --backend aws'
            cand --management-endpoint 'API Gateway management endpoint that answers may be pushed to; may be given more than once'
            cand --output 'How data is printed'
            cand -q 'Print data and errors only'
            cand --quiet 'Print data and errors only'
            cand -v 'Log more; twice for everything'
            cand --verbose 'Log more; twice for everything'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'ocache;serve'= {
            cand --port 'Port of the gateway on loopback; 0 is any free one'
            cand --ttl 'How long a user stays active after a visit'
            cand --refresh-every 'The time between two scheduled calculations of an active user''s table'
            cand --usable-for 'How long a table answers quotes when nothing refreshes it; at least three intervals'
            cand --quote-within 'How long a quotation may take before it fails'
            cand --allow-origin 'Origin of web pages that may use the gateway; may be given more than once'
            cand --allow-host 'Name by which clients may call the gateway, beside localhost; may be given more than once'
            cand --max-sockets 'Open connections in all'
            cand --max-sockets-per-address 'Open websockets of one address'
            cand --max-frames 'Frames a second of one websocket'
            cand --max-frames-per-address 'Frames a second of one address'
            cand --max-new-users-per-address 'Users a minute that one address may make active'
            cand --max-active-users 'Users that may be active through the gateway at once'
            cand --data-dir 'Folder of the embedded store [default: ocache/STACK in the user''s data folder]'
            cand --backend 'Which engine holds tables and queues [default: embedded]'
            cand --stack 'Prefix of all tables, queues and topics'
            cand --profile 'AWS profile; implies --backend aws'
            cand --region 'AWS region; implies --backend aws'
            cand --endpoint-url 'AWS endpoint, such as that of a local AWS; implies --backend aws'
            cand --management-endpoint 'API Gateway management endpoint that answers may be pushed to; may be given more than once'
            cand --output 'How data is printed'
            cand --with-provider 'Answer quotations as well, without a worker for it'
            cand --active-from-second-visit 'Keep a user''s table warm only from the second visit on'
            cand --limit-loopback 'Limit clients of this machine by address too'
            cand -q 'Print data and errors only'
            cand --quiet 'Print data and errors only'
            cand -v 'Log more; twice for everything'
            cand --verbose 'Log more; twice for everything'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'ocache;quote'= {
            cand --client 'Whose prices'
            cand --user 'Whose prices'
            cand --url 'Websocket to use instead of this store''s gateway'
            cand --request-id 'Name of the quote, to repeat it safely [default: made by ocache]'
            cand --timeout 'How long to wait for the answer'
            cand --ttl 'How long a user stays active after a visit'
            cand --refresh-every 'The time between two scheduled calculations of an active user''s table'
            cand --usable-for 'How long a table answers quotes when nothing refreshes it; at least three intervals'
            cand --quote-within 'How long a quotation may take before it fails'
            cand --data-dir 'Folder of the embedded store [default: ocache/STACK in the user''s data folder]'
            cand --backend 'Which engine holds tables and queues [default: embedded]'
            cand --stack 'Prefix of all tables, queues and topics'
            cand --profile 'AWS profile; implies --backend aws'
            cand --region 'AWS region; implies --backend aws'
            cand --endpoint-url 'AWS endpoint, such as that of a local AWS; implies --backend aws'
            cand --management-endpoint 'API Gateway management endpoint that answers may be pushed to; may be given more than once'
            cand --output 'How data is printed'
            cand -q 'Print data and errors only'
            cand --quiet 'Print data and errors only'
            cand -v 'Log more; twice for everything'
            cand --verbose 'Log more; twice for everything'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'ocache;quotation'= {
            cand --client 'Whose quotation; needed for ids that the client chose'
            cand --user 'Whose quotation; needed for ids that the client chose'
            cand --data-dir 'Folder of the embedded store [default: ocache/STACK in the user''s data folder]'
            cand --backend 'Which engine holds tables and queues [default: embedded]'
            cand --stack 'Prefix of all tables, queues and topics'
            cand --profile 'AWS profile; implies --backend aws'
            cand --region 'AWS region; implies --backend aws'
            cand --endpoint-url 'AWS endpoint, such as that of a local AWS; implies --backend aws'
            cand --management-endpoint 'API Gateway management endpoint that answers may be pushed to; may be given more than once'
            cand --output 'How data is printed'
            cand -q 'Print data and errors only'
            cand --quiet 'Print data and errors only'
            cand -v 'Log more; twice for everything'
            cand --verbose 'Log more; twice for everything'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'ocache;prices'= {
            cand --product 'Only this product; may be given more than once'
            cand --data-dir 'Folder of the embedded store [default: ocache/STACK in the user''s data folder]'
            cand --backend 'Which engine holds tables and queues [default: embedded]'
            cand --stack 'Prefix of all tables, queues and topics'
            cand --profile 'AWS profile; implies --backend aws'
            cand --region 'AWS region; implies --backend aws'
            cand --endpoint-url 'AWS endpoint, such as that of a local AWS; implies --backend aws'
            cand --management-endpoint 'API Gateway management endpoint that answers may be pushed to; may be given more than once'
            cand --output 'How data is printed'
            cand -q 'Print data and errors only'
            cand --quiet 'Print data and errors only'
            cand -v 'Log more; twice for everything'
            cand --verbose 'Log more; twice for everything'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'ocache;status'= {
            cand --data-dir 'Folder of the embedded store [default: ocache/STACK in the user''s data folder]'
            cand --backend 'Which engine holds tables and queues [default: embedded]'
            cand --stack 'Prefix of all tables, queues and topics'
            cand --profile 'AWS profile; implies --backend aws'
            cand --region 'AWS region; implies --backend aws'
            cand --endpoint-url 'AWS endpoint, such as that of a local AWS; implies --backend aws'
            cand --management-endpoint 'API Gateway management endpoint that answers may be pushed to; may be given more than once'
            cand --output 'How data is printed'
            cand -q 'Print data and errors only'
            cand --quiet 'Print data and errors only'
            cand -v 'Log more; twice for everything'
            cand --verbose 'Log more; twice for everything'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'ocache;dead-letters'= {
            cand --data-dir 'Folder of the embedded store [default: ocache/STACK in the user''s data folder]'
            cand --backend 'Which engine holds tables and queues [default: embedded]'
            cand --stack 'Prefix of all tables, queues and topics'
            cand --profile 'AWS profile; implies --backend aws'
            cand --region 'AWS region; implies --backend aws'
            cand --endpoint-url 'AWS endpoint, such as that of a local AWS; implies --backend aws'
            cand --management-endpoint 'API Gateway management endpoint that answers may be pushed to; may be given more than once'
            cand --output 'How data is printed'
            cand -q 'Print data and errors only'
            cand --quiet 'Print data and errors only'
            cand -v 'Log more; twice for everything'
            cand --verbose 'Log more; twice for everything'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand list 'List them'
            cand show 'Show one whole'
            cand redrive 'Send them to their queue again'
            cand drop 'Delete them'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'ocache;dead-letters;list'= {
            cand --queue 'Only those of this queue'
            cand --limit 'So many of each queue at most'
            cand --data-dir 'Folder of the embedded store [default: ocache/STACK in the user''s data folder]'
            cand --backend 'Which engine holds tables and queues [default: embedded]'
            cand --stack 'Prefix of all tables, queues and topics'
            cand --profile 'AWS profile; implies --backend aws'
            cand --region 'AWS region; implies --backend aws'
            cand --endpoint-url 'AWS endpoint, such as that of a local AWS; implies --backend aws'
            cand --management-endpoint 'API Gateway management endpoint that answers may be pushed to; may be given more than once'
            cand --output 'How data is printed'
            cand -q 'Print data and errors only'
            cand --quiet 'Print data and errors only'
            cand -v 'Log more; twice for everything'
            cand --verbose 'Log more; twice for everything'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'ocache;dead-letters;show'= {
            cand --data-dir 'Folder of the embedded store [default: ocache/STACK in the user''s data folder]'
            cand --backend 'Which engine holds tables and queues [default: embedded]'
            cand --stack 'Prefix of all tables, queues and topics'
            cand --profile 'AWS profile; implies --backend aws'
            cand --region 'AWS region; implies --backend aws'
            cand --endpoint-url 'AWS endpoint, such as that of a local AWS; implies --backend aws'
            cand --management-endpoint 'API Gateway management endpoint that answers may be pushed to; may be given more than once'
            cand --output 'How data is printed'
            cand -q 'Print data and errors only'
            cand --quiet 'Print data and errors only'
            cand -v 'Log more; twice for everything'
            cand --verbose 'Log more; twice for everything'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'ocache;dead-letters;redrive'= {
            cand --queue 'Only those of this queue'
            cand --data-dir 'Folder of the embedded store [default: ocache/STACK in the user''s data folder]'
            cand --backend 'Which engine holds tables and queues [default: embedded]'
            cand --stack 'Prefix of all tables, queues and topics'
            cand --profile 'AWS profile; implies --backend aws'
            cand --region 'AWS region; implies --backend aws'
            cand --endpoint-url 'AWS endpoint, such as that of a local AWS; implies --backend aws'
            cand --management-endpoint 'API Gateway management endpoint that answers may be pushed to; may be given more than once'
            cand --output 'How data is printed'
            cand --all 'Every one'
            cand -q 'Print data and errors only'
            cand --quiet 'Print data and errors only'
            cand -v 'Log more; twice for everything'
            cand --verbose 'Log more; twice for everything'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'ocache;dead-letters;drop'= {
            cand --queue 'Only those of this queue'
            cand --data-dir 'Folder of the embedded store [default: ocache/STACK in the user''s data folder]'
            cand --backend 'Which engine holds tables and queues [default: embedded]'
            cand --stack 'Prefix of all tables, queues and topics'
            cand --profile 'AWS profile; implies --backend aws'
            cand --region 'AWS region; implies --backend aws'
            cand --endpoint-url 'AWS endpoint, such as that of a local AWS; implies --backend aws'
            cand --management-endpoint 'API Gateway management endpoint that answers may be pushed to; may be given more than once'
            cand --output 'How data is printed'
            cand --all 'Every one'
            cand -q 'Print data and errors only'
            cand --quiet 'Print data and errors only'
            cand -v 'Log more; twice for everything'
            cand --verbose 'Log more; twice for everything'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'ocache;dead-letters;help'= {
            cand list 'List them'
            cand show 'Show one whole'
            cand redrive 'Send them to their queue again'
            cand drop 'Delete them'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'ocache;dead-letters;help;list'= {
        }
        &'ocache;dead-letters;help;show'= {
        }
        &'ocache;dead-letters;help;redrive'= {
        }
        &'ocache;dead-letters;help;drop'= {
        }
        &'ocache;dead-letters;help;help'= {
        }
        &'ocache;backup'= {
            cand --data-dir 'Folder of the embedded store [default: ocache/STACK in the user''s data folder]'
            cand --backend 'Which engine holds tables and queues [default: embedded]'
            cand --stack 'Prefix of all tables, queues and topics'
            cand --profile 'AWS profile; implies --backend aws'
            cand --region 'AWS region; implies --backend aws'
            cand --endpoint-url 'AWS endpoint, such as that of a local AWS; implies --backend aws'
            cand --management-endpoint 'API Gateway management endpoint that answers may be pushed to; may be given more than once'
            cand --output 'How data is printed'
            cand -q 'Print data and errors only'
            cand --quiet 'Print data and errors only'
            cand -v 'Log more; twice for everything'
            cand --verbose 'Log more; twice for everything'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'ocache;doctor'= {
            cand --data-dir 'Folder of the embedded store [default: ocache/STACK in the user''s data folder]'
            cand --backend 'Which engine holds tables and queues [default: embedded]'
            cand --stack 'Prefix of all tables, queues and topics'
            cand --profile 'AWS profile; implies --backend aws'
            cand --region 'AWS region; implies --backend aws'
            cand --endpoint-url 'AWS endpoint, such as that of a local AWS; implies --backend aws'
            cand --management-endpoint 'API Gateway management endpoint that answers may be pushed to; may be given more than once'
            cand --output 'How data is printed'
            cand -q 'Print data and errors only'
            cand --quiet 'Print data and errors only'
            cand -v 'Log more; twice for everything'
            cand --verbose 'Log more; twice for everything'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'ocache;provision'= {
            cand --data-dir 'Folder of the embedded store [default: ocache/STACK in the user''s data folder]'
            cand --backend 'Which engine holds tables and queues [default: embedded]'
            cand --stack 'Prefix of all tables, queues and topics'
            cand --profile 'AWS profile; implies --backend aws'
            cand --region 'AWS region; implies --backend aws'
            cand --endpoint-url 'AWS endpoint, such as that of a local AWS; implies --backend aws'
            cand --management-endpoint 'API Gateway management endpoint that answers may be pushed to; may be given more than once'
            cand --output 'How data is printed'
            cand --fix 'Also set what differs'
            cand --dry-run 'Only say what would be done'
            cand -y 'Do not ask'
            cand --yes 'Do not ask'
            cand -q 'Print data and errors only'
            cand --quiet 'Print data and errors only'
            cand -v 'Log more; twice for everything'
            cand --verbose 'Log more; twice for everything'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'ocache;destroy'= {
            cand --data-dir 'Folder of the embedded store [default: ocache/STACK in the user''s data folder]'
            cand --backend 'Which engine holds tables and queues [default: embedded]'
            cand --stack 'Prefix of all tables, queues and topics'
            cand --profile 'AWS profile; implies --backend aws'
            cand --region 'AWS region; implies --backend aws'
            cand --endpoint-url 'AWS endpoint, such as that of a local AWS; implies --backend aws'
            cand --management-endpoint 'API Gateway management endpoint that answers may be pushed to; may be given more than once'
            cand --output 'How data is printed'
            cand --dry-run 'Only say what would be deleted'
            cand -y 'Do not ask'
            cand --yes 'Do not ask'
            cand -q 'Print data and errors only'
            cand --quiet 'Print data and errors only'
            cand -v 'Log more; twice for everything'
            cand --verbose 'Log more; twice for everything'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'ocache;completions'= {
            cand --data-dir 'Folder of the embedded store [default: ocache/STACK in the user''s data folder]'
            cand --backend 'Which engine holds tables and queues [default: embedded]'
            cand --stack 'Prefix of all tables, queues and topics'
            cand --profile 'AWS profile; implies --backend aws'
            cand --region 'AWS region; implies --backend aws'
            cand --endpoint-url 'AWS endpoint, such as that of a local AWS; implies --backend aws'
            cand --management-endpoint 'API Gateway management endpoint that answers may be pushed to; may be given more than once'
            cand --output 'How data is printed'
            cand -q 'Print data and errors only'
            cand --quiet 'Print data and errors only'
            cand -v 'Log more; twice for everything'
            cand --verbose 'Log more; twice for everything'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'ocache;help'= {
            cand up 'Run the whole system in one process'
            cand load 'Load products and discounts from files'
            cand generate 'Make large data files from a seed'
            cand subscribe 'Make users active, so that their price tables are kept warm'
            cand unsubscribe 'Let users expire now'
            cand worker 'Run one role in the foreground'
            cand serve 'Run the gateway: websockets, PUT /subscribe, /health'
            cand quote 'Ask for a quotation, or for many in a session'
            cand quotation 'Show a past quotation'
            cand prices 'Show a user''s stored price table'
            cand status 'Show active users, tables, queues and dead letters'
            cand dead-letters 'See to the messages that were given up'
            cand backup 'Copy the embedded store to a file while it is in use'
            cand doctor 'Check that everything ocache needs is there and as it should be'
            cand provision 'Make the tables, queues and topic of a stack on AWS'
            cand destroy 'Delete the tables, queues and topic of a stack on AWS, and all that is in them'
            cand completions 'Print a shell''s completion script'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'ocache;help;up'= {
        }
        &'ocache;help;load'= {
        }
        &'ocache;help;generate'= {
        }
        &'ocache;help;subscribe'= {
        }
        &'ocache;help;unsubscribe'= {
        }
        &'ocache;help;worker'= {
        }
        &'ocache;help;serve'= {
        }
        &'ocache;help;quote'= {
        }
        &'ocache;help;quotation'= {
        }
        &'ocache;help;prices'= {
        }
        &'ocache;help;status'= {
        }
        &'ocache;help;dead-letters'= {
            cand list 'List them'
            cand show 'Show one whole'
            cand redrive 'Send them to their queue again'
            cand drop 'Delete them'
        }
        &'ocache;help;dead-letters;list'= {
        }
        &'ocache;help;dead-letters;show'= {
        }
        &'ocache;help;dead-letters;redrive'= {
        }
        &'ocache;help;dead-letters;drop'= {
        }
        &'ocache;help;backup'= {
        }
        &'ocache;help;doctor'= {
        }
        &'ocache;help;provision'= {
        }
        &'ocache;help;destroy'= {
        }
        &'ocache;help;completions'= {
        }
        &'ocache;help;help'= {
        }
    ]
    $completions[$command]
}
