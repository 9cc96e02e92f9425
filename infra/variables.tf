# What is deployed, and where.

variable "stack" {
  description = "The start of all resource names. `ocache --stack` must have the same value."
  type        = string
  default     = "organic-cache"

  validation {
    # The longest name, `{stack}-quotation-provider`, must fit the 64 characters of a function.
    condition     = can(regex("^[A-Za-z0-9_-]{1,45}$", var.stack))
    error_message = "The stack is 1 to 45 letters, digits, hyphens and underscores."
  }
}

variable "tags" {
  description = "Tags of all resources that can have them, in addition to `stack` and `application`."
  type        = map(string)
  default     = {}
}

variable "architecture" {
  description = "Processor architecture of the functions: x86_64 or arm64. The package must be built for it."
  type        = string
  default     = "x86_64"

  validation {
    condition     = contains(["x86_64", "arm64"], var.architecture)
    error_message = "The architecture is x86_64 or arm64."
  }
}

variable "package" {
  description = "The zip that `infra/package` built. Null: the file that it makes for this architecture."
  type        = string
  default     = null
}

# How the cache behaves. These are settings of the command line too.

variable "ttl_secs" {
  description = "How long a customer stays active after a visit, in seconds. Used only when the stack is made; later use `ocache config set ttl`."
  type        = number
  default     = 300

  validation {
    condition     = var.ttl_secs >= 1 && floor(var.ttl_secs) == var.ttl_secs
    error_message = "The TTL is a whole number of seconds, at least 1."
  }
}

variable "refresh_every_mins" {
  description = "The time between two scheduled calculations of an active customer's table, in whole minutes, because EventBridge counts in these. The schedule decides the interval, so an apply changes it for all processes."
  type        = number
  default     = 1

  validation {
    condition     = var.refresh_every_mins >= 1 && floor(var.refresh_every_mins) == var.refresh_every_mins
    error_message = "The interval is a whole number of minutes, at least 1."
  }

  validation {
    condition     = var.refresh_every_mins <= 24 * 60
    error_message = "The interval is a day at most: CloudWatch counts in no longer periods, so no alarm could tell that ticks are missed."
  }
}

variable "fresh_for_secs" {
  description = "How long a table counts as fresh after it was checked, in seconds. Used only when the stack is made; later use `ocache config set fresh-for`."
  type        = number
  default     = 600

  validation {
    condition     = var.fresh_for_secs >= 2 * 60 * var.refresh_every_mins
    error_message = "A table is fresh for at least two refresh intervals."
  }
}

variable "usable_for_secs" {
  description = "How long a table answers quotes if nothing refreshes it, in seconds. Used only when the stack is made; later use `ocache config set usable-for`."
  type        = number
  default     = 900

  validation {
    condition     = var.usable_for_secs >= var.fresh_for_secs + 60 * var.refresh_every_mins
    error_message = "A table is usable for at least one refresh interval longer than it is fresh."
  }
}

variable "answer" {
  description = "How a quote with a usable table is answered: direct, by whoever receives it, or topic, by way of the topic. Used only when the stack is made; later use `ocache config set answer`."
  type        = string
  default     = "direct"

  validation {
    condition     = contains(["direct", "topic"], var.answer)
    error_message = "Quotes are answered direct or by way of the topic."
  }
}

variable "quote_within_secs" {
  description = "How long a quotation may take before it fails, in seconds. The setting of the stack has this value when the stack is made; later use `ocache config set quote-within`, and set this variable to the same, because the alarms on waiting quotations follow it."
  type        = number
  default     = 30

  validation {
    condition     = var.quote_within_secs >= 1 && var.quote_within_secs <= 900
    error_message = "A quotation may take 1 to 900 seconds."
  }
}

variable "keep_quotations_secs" {
  description = "How long a past quotation can be asked for, in seconds. DynamoDB deletes it some days later. Used only when the stack is made; later use `ocache config set keep-quotations`."
  type        = number
  default     = 604800

  validation {
    condition     = var.keep_quotations_secs >= max(60, var.quote_within_secs) && var.keep_quotations_secs <= 31622400
    error_message = "Quotations are kept for a minute to a year, and at least as long as one may take."
  }
}

variable "keep_tables_secs" {
  description = "How long a table stays stored if nothing calculates it again, in seconds. DynamoDB deletes it some days later. Used only when the stack is made; later use `ocache config set keep-tables`."
  type        = number
  default     = 86400

  validation {
    condition     = var.keep_tables_secs >= 2 * var.usable_for_secs && var.keep_tables_secs <= 31622400
    error_message = "Tables are kept for at least twice as long as they are usable, and at most a year."
  }
}

# Who may use the stack.

variable "authorization" {
  description = "Who may connect and subscribe. TOKEN: clients with a token of `ocache token`, for the customers that the token names. AWS_IAM: principals that may execute-api:Invoke and sign their requests. NONE: everybody, so anybody who knows the URL can ask for any customer's prices."
  type        = string
  default     = "TOKEN"

  validation {
    condition     = contains(["TOKEN", "AWS_IAM", "NONE"], var.authorization)
    error_message = "The authorization is TOKEN, AWS_IAM or NONE."
  }
}

variable "identity_provider" {
  description = "An identity provider whose tokens are accepted in addition to those of `ocache token`: the URL of its public keys (a JWKS), the `iss` of its tokens, the `aud` that they must have (null: they must have none), and the claim that names the customers. Null: no other tokens are accepted."
  type = object({
    jwks_url     = string
    issuer       = string
    audience     = optional(string)
    client_claim = optional(string, "clients")
  })
  default = null

  validation {
    condition     = var.identity_provider == null || can(regex("^https://[^@]+$", var.identity_provider.jwks_url))
    error_message = "The keys of the identity provider are read over https."
  }
}

variable "load_over_http" {
  description = "Whether POST /load accepts products and discounts from clients with a token of `ocache token --load`. It needs such a token whatever the authorization is."
  type        = bool
  default     = false
}

variable "source_tables" {
  description = "Tables of other programs whose changes are loaded, by names of your choice: the ARN of each table's stream, with the view type NEW_AND_OLD_IMAGES; the attributes that are fields of ocache under another name; the attributes to ignore; the key that encrypts the table, if it is one of yours; and for how many seconds changes are gathered for one load, 0 to 300. See docs/tables-of-others.md."
  type = map(object({
    stream_arn     = string
    columns        = optional(map(string), {})
    ignore         = optional(list(string), [])
    ignore_unknown = optional(bool, false)
    kms_key_arn    = optional(string)
    window_secs    = optional(number, 60)
  }))
  default = {}

  validation {
    condition     = alltrue([for source in values(var.source_tables) : can(regex("^arn:[^:]+:dynamodb:[^:]+:[^:]+:table/[^/]+/stream/[^/]+$", source.stream_arn))])
    error_message = "A stream of DynamoDB has an ARN such as arn:aws:dynamodb:eu-west-1:123456789012:table/articles/stream/2026-11-29T08:00:00.000."
  }

  validation {
    condition     = alltrue([for source in values(var.source_tables) : source.window_secs >= 0 && source.window_secs <= 300])
    error_message = "Lambda gathers changes for 0 to 300 seconds."
  }
}

variable "allowed_origins" {
  description = "Origins of web pages that may call the HTTP API, such as https://shop.example.com."
  type        = list(string)
  default     = []
}

# How much runs at once.

variable "max_concurrency" {
  description = "The greatest number of concurrent invocations for the messages of each queue. Refreshing cannot use more than its own share, so it never starves quotes."
  type = object({
    refresh   = optional(number, 20)
    quotation = optional(number, 20)
    provider  = optional(number, 50)
  })
  default = {}

  validation {
    condition     = alltrue([for share in values(var.max_concurrency) : share >= 2 && share <= 1000])
    error_message = "Each share is from 2 to 1000: Lambda takes no other."
  }

  validation {
    condition     = sum(values(var.max_concurrency)) + var.gateway_concurrency <= var.account_concurrency
    error_message = "The shares of the queues and gateway_concurrency are together more than account_concurrency: what waits for a free slot would be quotes as well as refreshes."
  }
}

variable "gateway_concurrency" {
  description = "How many concurrent invocations are left free for the websocket, the HTTP API and the schedule."
  type        = number
  default     = 50

  validation {
    condition     = var.gateway_concurrency >= 3
    error_message = "Leave at least 3."
  }
}

variable "account_concurrency" {
  description = "The concurrent executions that the account has in this region, less those that are reserved for other functions: `aws lambda get-account-settings`. New accounts may have as few as 10."
  type        = number
  default     = 1000
}

variable "memory_mb" {
  description = "Memory of each function in MB. Processor time is proportional to it: 1769 MB give one whole processor."
  type = object({
    subscribe          = optional(number, 256)
    refresh            = optional(number, 512)
    price_calc         = optional(number, 1024)
    http_api           = optional(number, 256)
    load               = optional(number, 1024)
    load_changes       = optional(number, 1024)
    quotation_handler  = optional(number, 256)
    quotation_provider = optional(number, 512)
    authorizer         = optional(number, 256)
    connect            = optional(number, 128)
    disconnect         = optional(number, 128)
  })
  default = {}

  validation {
    condition     = alltrue([for memory in values(var.memory_mb) : memory >= 128 && memory <= 10240])
    error_message = "A function has 128 to 10240 MB."
  }
}

variable "price_calc_timeout_secs" {
  description = "How long one run of price-calc may take, in seconds. The first run after a load of products reads all of them. What it has read is kept, and the next run continues from there. If such a run is cut off with a cold quote, the quote comes again a second later."
  type        = number
  default     = 10

  validation {
    condition     = var.price_calc_timeout_secs >= 10 && var.price_calc_timeout_secs <= 900
    error_message = "A calculation may take 10 to 900 seconds."
  }
}

variable "refresh_timeout_secs" {
  description = "How long one refresh may take, in seconds. It reads every active customer and sends a message for each."
  type        = number
  default     = 60

  validation {
    condition     = var.refresh_timeout_secs >= 10 && var.refresh_timeout_secs <= 900
    error_message = "A refresh may take 10 to 900 seconds."
  }
}

variable "refresh_parts" {
  description = "How many parallel invocations each refresh is split into. Use one for about 280,000 active customers at an interval of a minute, with memory_mb.refresh of 1769. They count toward gateway_concurrency."
  type        = number
  default     = 1

  validation {
    condition     = var.refresh_parts >= 1 && var.refresh_parts <= 500 && floor(var.refresh_parts) == var.refresh_parts
    error_message = "A refresh is split into 1 to 500 invocations."
  }

  validation {
    condition     = var.refresh_parts < var.gateway_concurrency
    error_message = "The invocations of a refresh come out of gateway_concurrency: raise that first."
  }
}

variable "throttle" {
  description = "The greatest number of requests that each API accepts: in a burst, and per second in the long run."
  type = object({
    burst    = optional(number, 500)
    per_secs = optional(number, 1000)
  })
  default = {}
}

# What is kept, and what is logged.

variable "deletion_protection" {
  description = "Whether the tables refuse to be deleted. To destroy the stack, set it to false and apply first."
  type        = bool
  default     = true
}

variable "point_in_time_recovery" {
  description = "Which tables can be restored to any second of the last 35 days, by table name without the stack. Set it only for tables that shall differ from the default in tables.tf: all tables except those that ocache fills again by itself."
  type        = map(bool)
  default     = {}

  validation {
    condition     = length(setsubtract(keys(var.point_in_time_recovery), keys(local.tables))) == 0
    error_message = "There is a name that is not one of a table: see tables.tf."
  }
}

variable "log_retention_days" {
  description = "How long logs are kept, in days: one of the values that CloudWatch accepts."
  type        = number
  default     = 30

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "CloudWatch takes 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365 days and more."
  }
}

variable "log_level" {
  description = "What the functions log: WARN, INFO or DEBUG. Alarms count warnings, so a higher level is not allowed."
  type        = string
  default     = "INFO"

  validation {
    condition     = contains(["WARN", "INFO", "DEBUG"], var.log_level)
    error_message = "The level is WARN, INFO or DEBUG."
  }
}

