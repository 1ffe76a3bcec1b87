#include <gmock/gmock.h>
#include <gtest/gtest.h>
TEST(T, T) {}
