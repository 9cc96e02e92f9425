//! Examples of what can be typed. A test runs every line, in this order.

pub(super) const UP: &str = "\
Examples:
  ocache up                                   everything, on port 7070
  ocache up --port 0 --refresh-every 10s      on any free port, refreshing often
  ocache up --fresh --yes                     with an empty store";

pub(super) const LOAD: &str = "\
Examples:
  ocache load fixtures/                       every file of a folder
  ocache load fixtures/products.json --prune  and remove the other products
  ocache load fixtures/ --dry-run             what would change, and for whom
  ocache load fixtures/ --dry-run --changes changes.csv
  ocache load --watch fixtures/               and again when a file changes
  ocache load --template csv templates/       empty files with every column
  gzip -c fixtures/products.json | ocache load -";

/// The forms that files may have, for the whole help.
pub(super) const LOAD_FILES: &str = "\
Formats: a JSON array of rows, an object of tables ({\"products\": [...]}), NDJSON
(one row per line), CSV with a header, and DynamoDB JSON: batch writes, scans,
exports to S3. Each may be compressed with gzip.

Columns (in JSON: fields); those in brackets may be missing:
  products        id, name, price (or price.EUR for each currency),
                  [category, floor (or floor.EUR), min, step, max]
  customers       user_id, [currency, groups]; at least one of the two
  price_lists     price_list, [priority, currency, from, until, time_zone,
                  users, groups, everyone]
  prices          price_list, [product_id or category, min_quantity], and one of
                  price, percentage, amount
  user_discounts  user_id, product_id, [min_quantity], and one of percentage,
                  price, amount

In CSV, users and groups are lists separated by |. docs/data-files.md says what
each column means.";

pub(super) const GENERATE: &str = "\
Examples:
  ocache generate data/                       10,000 products and 100 customers, as NDJSON
  ocache generate more/ --products 500 --users 20 --discounts 50 --format csv
  ocache generate lists/ --lists 5 --tiers 3 --currencies USD,EUR";

pub(super) const SUBSCRIBE: &str = "\
Examples:
  ocache subscribe AAA                        for five minutes
  ocache subscribe AAA BBB --ttl 1h           two customers for an hour";

pub(super) const UNSUBSCRIBE: &str = "\
Examples:
  ocache unsubscribe AAA BBB";

pub(super) const WORKER: &str = "\
Examples:
  ocache worker price-calc                    calculates price tables until Ctrl-C
  ocache worker all --urgent-slots 40         all roles, with more room for cold quotes";

pub(super) const SERVE: &str = "\
Examples:
  ocache serve --port 0                       on any free port; a worker answers
  ocache serve --with-provider --allow-origin https://shop.example.com";

pub(super) const QUOTE: &str = "\
Examples:
  ocache quote --client AAA P1:2 P3:1         two of P1, one of P3
  ocache quote --client AAA P1 --output json  for programs
  printf 'P1:2\\n\"a b\":1 P3:1\\n' | ocache quote --client AAA";

pub(super) const QUOTATION: &str = "\
Examples:
  ocache quote --client AAA P1:2 --request-id order-7
  ocache quotation order-7 --client AAA       by the id that the client gave it";

pub(super) const LIST_PRODUCTS: &str = "\
Examples:
  ocache list products --limit 20
  ocache list products --match lamp           those with this text in their id or name
  ocache list products --output ndjson        a line for each, for `ocache load`";

pub(super) const LIST_CUSTOMERS: &str = "\
Examples:
  ocache list customers --limit 20";

pub(super) const LIST_DISCOUNTS: &str = "\
Examples:
  ocache list discounts --client AAA          of one customer
  ocache list discounts --product P1          for one product";

pub(super) const LIST_PRICE_LISTS: &str = "\
Examples:
  ocache list price-lists
  ocache list price-lists --client AAA        those that this customer has";

pub(super) const LIST_QUOTATIONS: &str = "\
Examples:
  ocache list quotations --limit 20           the latest ones first
  ocache list quotations --client AAA --status answered
  ocache list quotations --status failed --over 24h";

pub(super) const EXPORT_QUOTATIONS: &str = "\
Examples:
  ocache export quotations > trace.csv        then: ocache simulate trace.csv
  ocache export quotations --over 24h > day.csv";

pub(super) const PRICES: &str = "\
Examples:
  ocache prices AAA                           all of them
  ocache prices AAA --product P1 --product P3
  ocache prices AAA --product P1 --quantity 10 --explain    where that price comes from";

pub(super) const STATUS: &str = "\
Examples:
  ocache status                               once
  ocache status --watch                       every second, until Ctrl-C
  ocache status --watch 5s --output ndjson    a line every five seconds, for programs";

pub(super) const METER: &str = "\
Examples:
  ocache meter                                of the last hour
  ocache meter --over 24h                     of the last day";

pub(super) const COST: &str = "\
Examples:
  ocache cost                                 of this stack, by the last hour
  ocache cost --over 24h                      by the last day
  ocache cost forecast --active-users 500 --quotes-a-minute 400
  ocache cost forecast --active-users 500 --quotes-a-minute 400 --refresh-every 5m --products 20000";

pub(super) const BENCH: &str = "\
Examples:
  ocache bench --users 20 --quotes 200        a short one
  ocache bench --users 20 --quotes 200 --rate 500  at 500 quotes a second";

pub(super) const TOKEN: &str = "\
Examples:
  ocache token --client AAA                   for an hour
  ocache token --every-client --subject shop --expires-in 12h";

pub(super) const KEYS: &str = "\
Examples:
  ocache keys rotate                          a new key signs, the old one is accepted
  ocache keys list                            their names, without the secrets";

pub(super) const DEAD_LETTERS: &str = "\
Examples:
  ocache dead-letters list                    failed messages
  ocache dead-letters redrive --all           send all of them to their queues again
  ocache dead-letters drop --all --queue refresh";

pub(super) const BACKUP: &str = "\
Examples:
  ocache backup ocache-backup.db";

pub(super) const RESTORE: &str = "\
Examples:
  ocache restore ocache-backup.db --yes                   replace the store
  ocache restore ocache-backup.db --data-dir restored     into another folder, to look at it first";

pub(super) const DOCTOR: &str = "\
Examples:
  ocache doctor";

pub(super) const SIMULATE: &str = "\
Examples:
  ocache simulate --synthetic daily --days 1 --users 20 --seed 7
  ocache simulate --synthetic poisson --days 1 --users 9 --refresh-every 1m,15m
  ocache simulate --synthetic sessions --days 1 --users 20 --designs";

pub(super) const VERIFY: &str = "\
Examples:
  ocache verify                               a sample of tables and answers
  ocache verify --all --strict                all; stale and outdated ones are failures too";

#[cfg(feature = "aws")]
pub(super) const PROVISION: &str = "\
Examples:
  ocache provision --region eu-west-1 --dry-run    what would be made
  ocache provision --region eu-west-1 --yes        make it without asking
  ocache provision --region eu-west-1 --fix --yes  also change settings that differ";

#[cfg(feature = "aws")]
pub(super) const DESTROY: &str = "\
Examples:
  ocache destroy --region eu-west-1 --dry-run      what would be deleted
  ocache destroy --region eu-west-1 --yes          delete it without asking";

pub(super) const COMPLETIONS: &str = "\
Examples:
  ocache completions bash > ocache.bash       source it from ~/.bashrc
  ocache completions zsh > _ocache            put it in a folder of $fpath
  ocache completions fish > ocache.fish       put it in ~/.config/fish/completions";

pub(super) const MAN: &str = "\
Examples:
  ocache man quote > ocache-quote.1           read it with man ./ocache-quote.1
  ocache man --dir man1                       every page";

pub(super) const CONFIG_SHOW: &str = "\
Examples:
  ocache config show                          as they are now
  ocache config show --port 7171              as they would be with a flag";

pub(super) const CONFIG_SET: &str = "\
Examples:
  ocache config set ttl 10m                   how long customers stay active
  ocache config set require-token true        admit only clients with a token";

pub(super) const HELP: &str = "\
Examples:
  ocache help quote                           everything about a command
  ocache help globals                         the options of every command";
