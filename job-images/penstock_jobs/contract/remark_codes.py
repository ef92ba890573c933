"""Every code that a remark can have, with what it means: the manifest's enum and the page of the reference are of it.

A code is one word for programs and keeps its meaning; the sentence of a remark is for people, and may be worded better
any day.
"""

from typing import Literal

RemarkCode = Literal[
    "NumbersAsText",
    "DecimalComma",
    "AmbiguousNumbers",
    "DatesAsText",
    "ManyTexts",
    "AllNull",
    "Constant",
    "RowNumbers",
    "UnnamedColumn",
    "IndexLeftOut",
    "InfiniteValues",
    "NullKeys",
    "NullGroups",
    "KeyIsNoFeature",
    "TellsTarget",
    "NearDuplicates",
    "RareClass",
    "SeveralRowsInOne",
    "DependsOnHistory",
    "ShortOfShare",
    "ResetBefore",
]

MEANINGS: dict[RemarkCode, str] = {
    "NumbersAsText": "A column is text, and most of its values are numbers; the remark names the others.",
    "DecimalComma": "A column is text, and its values are numbers with a decimal comma, as 11,5.",
    "AmbiguousNumbers": "A column is text, and its values are numbers whose comma two readings fit: 11,037 is eleven "
    "or eleven thousand.",
    "DatesAsText": "A column is text, and its values are dates in a form other than that of ISO 8601.",
    "ManyTexts": "A column is text, with more different values than the default preprocessing tells apart.",
    "AllNull": "A column has no value in any row.",
    "Constant": "A column has the same value in all rows.",
    "RowNumbers": "A column counts the rows: each whole number of a range is there once.",
    "UnnamedColumn": "A column has a name that a tool gave it because it had none, as Unnamed: 3.",
    "IndexLeftOut": "A column is the index that pandas writes beside a data frame; it is in no table.",
    "InfiniteValues": "A column holds infinite numbers, which most estimators refuse.",
    "NullKeys": "A column of the key has no value in some rows; they are one point where the rest of the key is equal.",
    "NullGroups": "A column of the group has no value in some rows.",
    "KeyIsNoFeature": "A column of the key has few different values, as a feature would; the key is not learned from.",
    "TellsTarget": "One feature alone nearly gives the target: it may be known only once the target is.",
    "NearDuplicates": "Rows on both sides are equal in all but the key: the testing set holds what training has seen.",
    "RareClass": "The positive class, or one of several, is rare: accuracy says little, and intervals are wide.",
    "SeveralRowsInOne": "The query makes a value of several rows, which may carry what is in testing into training.",
    "DependsOnHistory": "The strategy Stratified makes the split depend on the history of generations.",
    "ShortOfShare": "The testing set has fewer points of a class than its share, since no point may be moved there.",
    "ResetBefore": "A reset of the testing set was made before for the same word, and so was not made again.",
}
