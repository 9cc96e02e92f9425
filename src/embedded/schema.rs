//! The schema of the file.
//!
//! Times by which records expire are in whole seconds, all others in milliseconds. Structures that no
//! condition looks into are JSON text.

/// Marks a SQLite file as a store of ocache: `OCch`.
pub(super) const APPLICATION_ID: i32 = 0x4f43_6368;

/// The migrations. Each brings a store from the version that is its index to the next one.
pub(super) const MIGRATIONS: [&str; 13] = [
    FIRST,
    USAGE,
    LOAD_CURRENCY,
    SECTION,
    JOURNAL,
    OWN_ROWS,
    PACKED_QUOTATION,
    PACKED_DISCOUNTS,
    STACK_SETTINGS,
    HALF_LOADED,
    PROCESS,
    PRICE_LISTS,
    PLACES,
];

/// The version of a store to which all migrations were applied.
pub(super) const VERSION: i32 = MIGRATIONS.len() as i32;

/// The versions in which loads wrote directly into the rows.
pub(super) const BEFORE_JOURNALS: std::ops::Range<i32> = 1..5;

/// The tables that a readable store has. A truncated file is noticed early by reading from each.
pub(super) const TABLES: [&str; 19] = [
    "active_user",
    "catalogue_head",
    "stack_settings",
    "product",
    "discounts",
    "customer",
    "price_list",
    "list_price",
    "journal",
    "journal_row",
    "base",
    "base_part",
    "price_table",
    "quotation",
    "message",
    "deduplication",
    "dead_letter",
    "usage",
    "process",
];

const FIRST: &str = "
-- `bucket` is a hash of the user: a segment of a scan is a range of buckets.
CREATE TABLE active_user (
    bucket INTEGER NOT NULL,
    user TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    first_seen INTEGER NOT NULL,
    last_seen INTEGER NOT NULL,
    PRIMARY KEY (bucket, user)
) STRICT, WITHOUT ROWID;
CREATE INDEX active_user_expiry ON active_user (expires_at);

CREATE TABLE catalogue_head (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    version INTEGER NOT NULL,
    currency TEXT NOT NULL,
    load_id TEXT,
    load_deadline INTEGER
) STRICT;

CREATE TABLE product (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    price INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE discounts (
    user TEXT PRIMARY KEY,
    list TEXT NOT NULL
) STRICT;

-- Expiry is kept once per generation, so that moving it does not rewrite the parts.
CREATE TABLE generation (
    id INTEGER PRIMARY KEY,
    user TEXT NOT NULL,
    name TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    UNIQUE (user, name)
) STRICT;
CREATE INDEX generation_expiry ON generation (expires_at);

CREATE TABLE part (
    generation INTEGER NOT NULL,
    number INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (generation, number)
) STRICT;

CREATE TABLE table_head (
    user TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    generation TEXT NOT NULL,
    head TEXT NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX table_head_expiry ON table_head (expires_at);

-- `record` is the quotation as it was created; where its answer goes now and how it was settled
-- stand beside it, so that no write has to read it.
CREATE TABLE quotation (
    key TEXT PRIMARY KEY,
    deadline INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    record TEXT NOT NULL,
    redirected TEXT,
    status TEXT
) STRICT;
CREATE INDEX quotation_expiry ON quotation (expires_at);

-- `ready_at` is set for a message of a standard queue and for the first of each group of a FIFO
-- queue: when the message, or the group it leads, may be received. All others have none, so a
-- receive never passes over what is blocked. `hidden_until` and `token` are those of a delivery.
CREATE TABLE message (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    queue INTEGER NOT NULL,
    grp TEXT,
    sent_at INTEGER NOT NULL,
    receives INTEGER NOT NULL DEFAULT 0,
    ready_at INTEGER,
    hidden_until INTEGER,
    token TEXT,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX message_ready ON message (queue, ready_at) WHERE ready_at IS NOT NULL;
CREATE INDEX message_group ON message (queue, grp) WHERE grp IS NOT NULL;
CREATE INDEX message_hidden ON message (queue, hidden_until) WHERE hidden_until IS NOT NULL;
CREATE INDEX message_sent ON message (queue, sent_at);

CREATE TABLE deduplication (
    queue INTEGER NOT NULL,
    id TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (queue, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX deduplication_expiry ON deduplication (expires_at);

CREATE TABLE dead_letter (
    seq INTEGER PRIMARY KEY,
    queue INTEGER NOT NULL,
    grp TEXT,
    sent_at INTEGER NOT NULL,
    receives INTEGER NOT NULL,
    died_at INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX dead_letter_queue ON dead_letter (queue);
CREATE INDEX dead_letter_death ON dead_letter (died_at);
";

const USAGE: &str = "
CREATE TABLE usage (
    window INTEGER NOT NULL,
    process TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (window, process)
) STRICT, WITHOUT ROWID;
CREATE INDEX usage_expiry ON usage (expires_at);
";

const LOAD_CURRENCY: &str = "ALTER TABLE catalogue_head ADD COLUMN load_currency TEXT;";

const SECTION: &str = "
-- What the parts of many users begin with, stored once. It expires after all parts that refer to it.
CREATE TABLE section (
    id INTEGER PRIMARY KEY,
    hash TEXT NOT NULL UNIQUE,
    expires_at INTEGER NOT NULL,
    bytes BLOB NOT NULL
) STRICT;
CREATE INDEX section_expiry ON section (expires_at);
ALTER TABLE part ADD COLUMN section INTEGER;
";

const JOURNAL: &str = "
-- A load that a program of before left half done has written what it has written: that is a version
-- of its own. If it was changing the currency, nobody can tell which prices are in which; they have
-- to be loaded again.
DELETE FROM product WHERE EXISTS
    (SELECT 1 FROM catalogue_head WHERE load_id IS NOT NULL AND load_currency <> currency);
UPDATE catalogue_head SET version = version + 1 WHERE load_id IS NOT NULL;
DELETE FROM catalogue_head WHERE version = 0;

-- `base_version` is the version of the last load that changed a product or the currency. `unfolded`
-- is the journal of the load that made this version, while the rows do not have all of it.
ALTER TABLE catalogue_head DROP COLUMN load_id;
ALTER TABLE catalogue_head DROP COLUMN load_deadline;
ALTER TABLE catalogue_head DROP COLUMN load_currency;
ALTER TABLE catalogue_head ADD COLUMN base_version INTEGER NOT NULL DEFAULT 0;
ALTER TABLE catalogue_head ADD COLUMN unfolded INTEGER;
UPDATE catalogue_head SET base_version = version;

CREATE TABLE journal (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    load TEXT NOT NULL UNIQUE,
    began_at INTEGER NOT NULL,
    is_over INTEGER NOT NULL DEFAULT 0
) STRICT;

-- A change without a record deletes the row.
CREATE TABLE journal_row (
    journal INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    key TEXT NOT NULL,
    record TEXT,
    PRIMARY KEY (journal, kind, key)
) STRICT;

-- What all tables of one version of the products share.
CREATE TABLE base (
    version INTEGER PRIMARY KEY,
    expires_at INTEGER NOT NULL,
    parts TEXT NOT NULL
) STRICT;
CREATE INDEX base_expiry ON base (expires_at);

CREATE TABLE base_part (
    version INTEGER NOT NULL,
    number INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (version, number)
) STRICT;
CREATE TRIGGER base_gone AFTER DELETE ON base BEGIN
    DELETE FROM base_part WHERE version = old.version;
END;
";

const OWN_ROWS: &str = "
-- Tables that repeat the catalogue are calculated again, against a base with prices.
DROP TABLE table_head;
DROP TABLE part;
DROP TABLE generation;
DROP TABLE section;
DELETE FROM base;
ALTER TABLE base RENAME COLUMN parts TO contents;

-- `head` is packed, and begins with the version of its form. `parts` are the user's own rows, where
-- they are too many to stand in the head.
CREATE TABLE price_table (
    id INTEGER PRIMARY KEY,
    user TEXT NOT NULL UNIQUE,
    version INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    head BLOB NOT NULL,
    parts BLOB
) STRICT;
CREATE INDEX price_table_expiry ON price_table (expires_at);
";

const PACKED_QUOTATION: &str = "
-- Rows are packed. What is JSON text in them was written by a program of before. A quotation without
-- a deadline is settled. All are kept equally long, so the first rows expire first.
ALTER TABLE quotation RENAME TO old_quotation;
DROP INDEX quotation_expiry;
CREATE TABLE quotation (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    expires_at INTEGER NOT NULL,
    deadline INTEGER,
    record ANY NOT NULL,
    redirected ANY,
    outcome ANY
) STRICT;
INSERT INTO quotation (key, expires_at, deadline, record, redirected, outcome)
    SELECT key, expires_at, iif(status IS NULL, deadline, NULL), record, redirected, status
    FROM old_quotation ORDER BY expires_at;
DROP TABLE old_quotation;
";

const PACKED_DISCOUNTS: &str = "
-- Lists are packed. One that is JSON text was written by a program of before.
ALTER TABLE discounts RENAME TO old_discounts;
CREATE TABLE discounts (
    user TEXT PRIMARY KEY,
    list ANY NOT NULL
) STRICT;
INSERT INTO discounts (user, list) SELECT user, list FROM old_discounts;
DROP TABLE old_discounts;
";

const STACK_SETTINGS: &str = "
CREATE TABLE stack_settings (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    revision INTEGER NOT NULL,
    record TEXT NOT NULL
) STRICT;
";

const HALF_LOADED: &str = "
-- Whether the rows are of two loads, because a program of before left one half done.
ALTER TABLE catalogue_head ADD COLUMN half_loaded INTEGER NOT NULL DEFAULT 0;
";

const PROCESS: &str = "
-- `holder` is the name of the file that the process holds a lock on, if it does.
CREATE TABLE process (
    name TEXT PRIMARY KEY,
    holder TEXT,
    lives_until INTEGER NOT NULL,
    record TEXT NOT NULL
) STRICT;
CREATE INDEX process_expiry ON process (lives_until);
";

const PRICE_LISTS: &str = "
-- `lists_version` is the version of the last load that changed a price list, `shared_version` that of
-- the last one that changed something that customers have in common. Unit prices have `unit_decimals`
-- decimals beyond those of their currency.
ALTER TABLE catalogue_head ADD COLUMN lists_version INTEGER NOT NULL DEFAULT 0;
ALTER TABLE catalogue_head ADD COLUMN shared_version INTEGER NOT NULL DEFAULT 0;
ALTER TABLE catalogue_head ADD COLUMN has_customers INTEGER NOT NULL DEFAULT 0;
ALTER TABLE catalogue_head ADD COLUMN unit_decimals INTEGER NOT NULL DEFAULT 0;
ALTER TABLE catalogue_head ADD COLUMN rounding TEXT NOT NULL DEFAULT 'half-even';
UPDATE catalogue_head SET shared_version = base_version;

-- `price` is that in the currency of the catalogue, if there is one. `detail` is what few products have.
ALTER TABLE product RENAME TO old_product;
CREATE TABLE product (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    price INTEGER,
    detail TEXT
) STRICT, WITHOUT ROWID;
INSERT INTO product (id, name, price) SELECT id, name, price FROM old_product ORDER BY id;
DROP TABLE old_product;

-- What a user has beside plain discounts, packed.
ALTER TABLE discounts ADD COLUMN ladders BLOB;

CREATE TABLE customer (
    user TEXT PRIMARY KEY,
    record TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- A list may name very many users, so its rows are large.
CREATE TABLE price_list (
    id TEXT PRIMARY KEY,
    record TEXT NOT NULL
) STRICT;

-- A key is the list and the scope, parted by U+0001. A ladder is packed.
CREATE TABLE list_price (
    key TEXT PRIMARY KEY,
    ladder BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Bases have names now. What is in them is made anew.
DROP TABLE base;
DROP TABLE base_part;
CREATE TABLE base (
    name TEXT PRIMARY KEY,
    expires_at INTEGER NOT NULL,
    contents TEXT NOT NULL
) STRICT;
CREATE INDEX base_expiry ON base (expires_at);
CREATE TABLE base_part (
    base TEXT NOT NULL,
    number INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (base, number)
) STRICT;
CREATE TRIGGER base_gone AFTER DELETE ON base BEGIN
    DELETE FROM base_part WHERE base = old.name;
END;
";

const PLACES: &str = "
-- A key that ocache made says where its row is: `id` is its place, and no index has it. Another key is in
-- `key`, as is a made one whose place was taken, or that an earlier version made.
ALTER TABLE quotation RENAME TO old_quotation;
CREATE TABLE quotation (
    id INTEGER PRIMARY KEY,
    made TEXT,
    key TEXT,
    expires_at INTEGER NOT NULL,
    deadline INTEGER,
    record ANY NOT NULL,
    redirected ANY,
    outcome ANY,
    CHECK ((made IS NULL) <> (key IS NULL))
) STRICT;
INSERT INTO quotation (id, key, expires_at, deadline, record, redirected, outcome)
    SELECT id, key, expires_at, deadline, record, redirected, outcome FROM old_quotation ORDER BY id;
DROP TABLE old_quotation;
CREATE UNIQUE INDEX quotation_key ON quotation (key) WHERE key IS NOT NULL;
";
