import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.InputStreamReader;

import software.amazon.event.ruler.Ruler;

/** Reads a pattern and an event, each a line of JSON, again and again, and says whether they match. A pattern that is none ends it. */
class Matches {
    public static void main(String[] args) throws Exception {
        var in = new BufferedReader(new InputStreamReader(System.in, UTF_8));
        for (String pattern; (pattern = in.readLine()) != null; ) {
            System.out.println(Ruler.matchesRule(in.readLine(), pattern));
        }
    }
}
