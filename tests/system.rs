//! Tests of the whole system without its gateway: five stages, real workers, one engine, and a client that
//! sees what is pushed.
//!
//! The tests are written once. An engine joins with one `both_ways_work!` line. It runs each test twice:
//! once quotes are answered directly, once from the topic. Tests may wait for seconds; an engine that
//! controls its time spends none.

mod system {
    pub mod harness;

    pub mod catalogue_changes;
    pub mod changes;
    pub mod cold_quotes;
    pub mod counting;
    pub mod direct_answers;
    pub mod expiry;
    pub mod failures;
    pub mod large_catalogue;
    pub mod orders;
    pub mod price_lists;
    pub mod prices;
    pub mod priority;
    pub mod warm_quotes;
    pub mod without_connection;
    pub mod wrong_clocks;
}

/// Defines one test with its attributes, on a runtime with this configuration.
macro_rules! test_on {
    (($($runtime:tt)*) [$($attributes:tt)*] $test:ident $run:expr) => {
        #[tokio::test($($runtime)*)]
        $($attributes)*
        async fn $test() {
            $run;
        }
    };
}

/// Opens an engine of the harness.
macro_rules! opened {
    (($($engine:tt)*)) => {
        harness::$($engine)*
    };
}

macro_rules! works {
    (($name:ident: $engine:tt $answering:ident $runtime:tt $attributes:tt)
        $($area:ident { $($test:ident),* $(,)? })*
    ) => {
        mod $name {
            $(mod $area {
                use ocache::stages::Answering;

                use crate::system::{$area, harness};

                $(test_on!($runtime $attributes $test {
                    let engine = opened!($engine).answering(Answering::$answering);
                    $area::$test(engine).await
                });)*
            })*
        }
    };
}

macro_rules! all_of_it_works {
    ($engine:tt) => {
        works! { $engine
            prices {
                looking_is_a_visit_and_orders_a_missing_table_once,
                a_stale_table_is_shown_and_ordered_behind_all_quotes,
                an_empty_table_is_shown_until_there_are_products,
                a_table_that_cannot_be_read_is_replaced,
                the_whole_table_is_read_in_order_and_from_where_one_stopped,
            }
            without_connection {
                a_cold_quote_is_answered_where_it_is_asked_for,
                a_warm_quote_is_answered_at_once,
                a_websocket_takes_over_and_is_not_robbed,
            }
            warm_quotes {
                a_subscribed_user_is_quoted_from_the_warm_table,
                a_repeated_request_is_answered_once_and_told_again,
                the_answer_follows_the_client_to_its_new_connection,
                a_stale_table_answers_and_is_refreshed,
                a_client_that_is_gone_leaves_the_answer_stored,
            }
            cold_quotes {
                a_user_nobody_knows_pays_list_prices_and_becomes_active,
                ten_quotes_of_a_cold_user_cost_one_calculation,
                unknown_products_are_named_and_the_rest_is_priced,
                a_table_in_a_form_that_this_version_does_not_read_is_calculated_anew,
            }
            failures {
                a_quote_without_a_calculator_fails_at_its_deadline,
                an_empty_catalogue_is_a_reason,
                an_answer_too_large_for_a_message_is_a_reason,
                the_longest_name_is_quoted_and_a_longer_one_is_not_loaded,
                a_damaged_table_is_calculated_anew,
                an_unreadable_message_ends_in_the_dead_letters,
                a_failure_that_was_not_pushed_is_pushed_again,
                an_order_that_comes_too_late_still_tells_the_client,
            }
            counting {
                a_quotation_is_counted_once_however_often_its_message_comes,
                a_table_is_counted_by_what_became_of_it,
            }
            expiry {
                an_idle_user_is_refreshed_until_expiry_and_then_never_again,
                a_user_who_keeps_quoting_stays,
            }
            orders {
                a_stale_table_is_ordered_once_and_behind_every_cold_quote,
                the_quote_of_a_new_user_orders_one_calculation,
                a_user_who_returns_to_a_table_from_before_a_load_orders_one_calculation,
            }
            price_lists {
                a_group_has_its_lists_and_no_other_group_sees_them,
                a_customer_who_changes_the_group_has_other_prices_at_once,
                a_list_that_is_deleted_while_tables_name_it_is_gone_with_the_next_one,
                a_changed_price_of_a_list_makes_tables_stale_until_it_is_in_them,
                ladders_give_each_quantity_its_price_and_name_the_next,
                a_list_of_one_customer_counts_at_its_priority,
                each_customer_buys_in_their_currency,
                a_quantity_that_is_not_sold_is_named_with_its_neighbours,
                a_list_that_is_loaded_long_before_it_begins_counts_from_then_on,
                at_the_edge_of_a_window_the_right_price_is_warm,
            }
            priority {
                a_cold_quote_overtakes_a_backlog_of_refreshes,
            }
            catalogue_changes {
                no_quote_mixes_two_loads,
                an_unchanged_refresh_keeps_the_generation,
                a_load_that_dies_changes_nothing,
                what_a_load_left_is_folded_at_a_tick,
            }
            changes {
                discounts_reach_the_active_users_they_are_of_and_nobody_else,
                prices_reach_every_active_user,
                who_came_last_comes_first_and_behind_every_cold_quote,
                a_table_of_an_older_catalogue_is_stale_at_once,
                the_schedule_finds_what_a_dead_loader_did_not_order,
                a_check_after_a_load_that_changed_nothing_for_the_user_ends_staleness,
                a_user_who_returns_has_what_was_loaded_meanwhile,
                a_visit_after_an_edge_orders_the_prices_that_begin_there,
            }
            wrong_clocks {
                a_tick_of_an_hour_ago_still_refreshes,
                a_backlog_of_old_ticks_costs_one_calculation,
                a_failure_that_a_client_saw_is_final,
                a_provider_whose_clock_is_behind_orders_tables,
                a_calculator_whose_clock_is_off_makes_tables_that_answer,
                a_calculator_whose_clock_is_off_makes_bases_that_answer,
                calculators_two_hours_apart_neither_freeze_nor_mix,
            }
            large_catalogue {
                a_large_catalogue_is_quoted_from_the_parts_needed,
            }
        }
    };
}

macro_rules! both_ways_work {
    ($name:ident $direct:ident $topic:ident $engine:tt $runtime:tt $attributes:tt) => {
        all_of_it_works!(($direct: $engine Direct $runtime $attributes));
        all_of_it_works!(($topic: $engine Topic $runtime $attributes));

        /// Tests only for quotes that are answered directly.
        mod $name {
            works! { (direct: $engine Direct $runtime $attributes)
                direct_answers {
                    a_warm_quote_costs_one_write_and_no_message,
                    a_gateway_that_stays_tells_the_answer_itself,
                    an_answer_that_cannot_be_pushed_is_pushed_by_the_provider,
                    a_client_that_is_gone_is_no_failure,
                    a_reason_is_told_at_once_too,
                    a_table_that_is_not_usable_takes_the_topic,
                    a_request_that_waits_is_not_answered_a_second_time,
                    a_visit_orders_no_table_that_is_fresh_or_ordered,
                    a_visit_is_remembered_for_a_tenth_of_the_ttl,
                }
            }
            works! { (topic: $engine Topic $runtime $attributes)
                failures {
                    a_panic_over_one_message_fails_no_other,
                }
                orders {
                    a_visit_orders_what_its_quote_does_not,
                }
                direct_answers {
                    every_quotation_takes_the_topic_when_so_configured,
                }
            }
        }
    };
}

both_ways_work!(memory memory_direct memory_topic (memory()) (start_paused = true) []);
both_ways_work!(embedded embedded_direct embedded_topic (embedded())
    (flavor = "multi_thread", worker_threads = 2) []);

/// All tests on AWS. They take minutes, so they have a command of their own, `.ci/scenarios`, which runs
/// those with short intervals one after the other.
#[cfg(feature = "aws")]
mod scenarios {
    both_ways_work!(aws direct topic (aws().await) (flavor = "multi_thread", worker_threads = 2)
        [#[ignore = "needs a local AWS: .ci/scenarios"]]);
}

/// The few tests on AWS that run with all other tests. Clocks of different machines matter more on AWS than
/// between processes of one machine. At the edge of a window, tables must be ready in time although every
/// call takes longer.
#[cfg(feature = "aws")]
mod aws {
    use crate::system::{harness, price_lists, wrong_clocks};

    macro_rules! also_on_aws {
        ($($area:ident: $($test:ident),* $(,)?;)*) => {
            $($(test_on!((flavor = "multi_thread", worker_threads = 2)
                [#[ignore = "needs a local AWS: .ci/ministack cargo test"]]
                $test $area::$test(harness::aws().await).await);)*)*
        };
    }

    also_on_aws! {
        price_lists: at_the_edge_of_a_window_the_right_price_is_warm_on_a_slow_engine;
        wrong_clocks:
        a_tick_of_an_hour_ago_still_refreshes,
        a_backlog_of_old_ticks_costs_one_calculation,
        a_failure_that_a_client_saw_is_final,
        a_provider_whose_clock_is_behind_orders_tables,
        a_calculator_whose_clock_is_off_makes_tables_that_answer,
        a_calculator_whose_clock_is_off_makes_bases_that_answer,
        calculators_two_hours_apart_neither_freeze_nor_mix;
    }
}

/// Tests that damage the file of the store.
mod damaged {
    use crate::system::{failures, harness};

    test_on!((flavor = "current_thread") []
        a_row_that_cannot_be_read_stops_nobody_else
        failures::a_row_that_cannot_be_read_stops_nobody_else(harness::embedded()).await);

    test_on!((flavor = "current_thread")
        [#[cfg_attr(not(target_os = "linux"), ignore = "needs /proc")]]
        a_process_that_waits_for_a_restore_opens_the_restored_store
        failures::a_process_that_waits_for_a_restore_opens_the_restored_store().await);
}
