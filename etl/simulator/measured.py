"""What the made-up world is shaped after.

Aggregates over recorded Fortnite Creative data (November 2025 to September 2026): the newest
30,104 islands of the public list, 33,012 daily metric rows, and statistics over 962 busy islands.
No upstream record is reproduced.
"""

# The whole list in September 2026, and what a day adds to it.
CATALOGUE_ISLANDS = 288_880
NEW_ISLANDS_PER_DAY = 500.0
ACTIVE_SHARE = 0.192
MADE_IN_UEFN_SHARE = 0.634
MADE_IN_FNC_SHARE = 0.325
ONE_ISLAND_CREATORS_SHARE = 0.585
MOST_ISLANDS_OF_A_CREATOR = 153

# Of 30,104 islands, how many carry one, two, three, four tags.
TAGS_PER_ISLAND = {1: 2282, 2: 1217, 3: 2369, 4: 24236}

# (share of the active islands, peak CCU of a day that this share reaches); the rank-size slope.
PEAK_CCU = (
    (0.0001, 32428.0),
    (0.001, 9761.0),
    (0.01, 760.0),
    (0.05, 283.0),
    (0.1, 169.0),
    (0.25, 45.0),
    (0.5, 7.0),
    (0.75, 3.0),
    (0.9, 2.0),
    (1.0, 2.0),
)
PEAK_CCU_SLOPE = -0.905
PEAK_CCU_HIGHEST = 150_000.0

# Fresh islands: most are tried by somebody. Median peak CCU at 0, 1, 2 days of age.
YOUNG_ACTIVE_SHARE = 0.659
YOUNG_MEDIAN_PEAK = (25.0, 7.0, 4.0)
MEDIAN_PEAK = 7.0

# CCU at each hour (UTC) relative to the mean of the day.
HOUR_OF_DAY = (
    *(1.17, 1.13, 1.06, 0.94, 0.79, 0.66, 0.58, 0.54, 0.54, 0.52, 0.56, 0.68),
    *(0.77, 0.86, 0.98, 1.12, 1.29, 1.43, 1.5, 1.48, 1.46, 1.42, 1.33, 1.22),
)

DAYS_PER_VERSION = 6.6
TITLE_CHANGES_PER_DAY = 0.0122
TAG_CHANGES_PER_DAY = 0.0058
LEAST_UNIQUE_PLAYERS = 5

LOCALES = {
    "en": 556,
    "fr": 100,
    "ar": 67,
    "pt-br": 56,
    "de": 43,
    "es-es": 38,
    "it": 24,
    "pl": 21,
    "ja": 20,
    "es-mx": 19,
    "ru": 12,
    "pt-BR": 3,
    "es-MX": 2,
    "ko": 1,
}
MAX_PLAYERS = (16, 12, 4, 20, 6, 2, 8, 10, 5, 1, 3, 40)

# Daily ratios of an island: 5th, 50th and 95th percentile.
PLAYS_PER_UNIQUE = (1.09, 1.33, 2.06)
AVERAGE_MINUTES = (17.7, 29.3, 62.1)
FAVORITES_PER_UNIQUE = (0.013, 0.039, 0.116)
RECOMMENDATIONS_PER_UNIQUE = (0.0, 0.006, 0.035)
RETENTION_D1 = (0.05, 0.2, 0.41)
RETENTION_D7 = (0.01, 0.07, 0.26)
